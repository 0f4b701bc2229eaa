# SPDX-License-Identifier: MIT
# The small systems that `make run` and the tests boot; see appliance/pack.
B ?= build

APPLIANCE := $(B)/appliance/dom0.cpio
APPLIANCE_SOURCES := appliance/pack appliance/manifest \
	$(shell find appliance/dom0 appliance/guest install/scripts -type f)

$(B)/debian/.fetched: scripts/packages scripts/fetch
	@scripts/fetch $(B)/debian
	@touch $@

$(APPLIANCE): $(B)/debian/.fetched $(APPLIANCE_SOURCES) $(addprefix $(B)/tools/,$(TOOLS_PRESENT))
	@echo "  PACK    $@"
	@appliance/pack $(B)/debian $(B)/tools $(B)/appliance

.PHONY: appliance
appliance: $(APPLIANCE)
