# SPDX-License-Identifier: MIT
#
# Host tests of the control tools: each tests/tools/test_NAME.c becomes one cmocka program, linked with the real sources it names in
# lines of its own and run under AddressSanitizer and UBSan:
#
#	/* links: xenstored/tree.c lib/base */      relative to tools/ (a folder: all of it), or a path from the top below tests/
#	/* libs: -ljansson */                            (if needed)
#
# `make unit-tools` runs them all, `make unit-tools-NAME` one.
B ?= build

tools-test-names := $(patsubst tests/tools/test_%.c,%,$(sort $(wildcard tests/tools/test_*.c)))
tools-test-cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE -D__XEN_TOOLS__ -Itools -Itests/unit $(TOOLS_WARN) \
	-fsanitize=address,undefined -fno-sanitize-recover=all
# $1 test, $2 word -> what its source says behind that word
tools-test-says = $(shell sed -n 's,^/\* $2: *\(.*\) \*/$$,\1,p' tests/tools/test_$1.c)
tools-test-sources = tests/tools/test_$1.c \
	$(wildcard $(foreach s,$(call tools-test-says,$1,links),$(if $(filter tests/%,$s),$s,tools/$s$(if $(filter %.c,$s),,/*.c))))
tools-test-objs = $(patsubst %.c,$(B)/tests/tools/obj/%.o,$(call tools-test-sources,$1))

$(B)/tests/tools/obj/%.o: %.c tests/tools/build.mk
	@mkdir -p $(@D)
	@gcc $(tools-test-cflags) -MMD -MP -c -o $@ $<

define tools-test
$(B)/tests/tools/test_$1: $(call tools-test-objs,$1)
	@gcc $$(tools-test-cflags) -o $$@ $$^ -lcmocka $(call tools-test-says,$1,libs)
-include $(patsubst %.o,%.d,$(call tools-test-objs,$1))
endef
$(foreach t,$(tools-test-names),$(eval $(call tools-test,$t)))

.PHONY: unit-tools $(addprefix unit-tools-,$(tools-test-names))
unit-tools: $(addprefix $(B)/tests/tools/test_,$(tools-test-names))
	@tests/unit/run $^
$(addprefix unit-tools-,$(tools-test-names)): unit-tools-%: $(B)/tests/tools/test_%
	@tests/unit/run $^

# The manual pages name every command, key and option there is, and nothing else.
.PHONY: check-man
check-man: tools
	@tests/tools/man-pages $(B)

include $(wildcard tests/tools/*/build.mk)
