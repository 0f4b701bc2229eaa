# Documentation made from the sources.
#
#   make docs         docs/hypercalls.md from the hypercall tables
#   make check-docs   fails if the page is older than the tables say

docs/hypercalls.md: docs/hypercalls.py $(HV_SRC)
	@echo "  DOC     $@"
	@python3 docs/hypercalls.py > $@.tmp
	@mv $@.tmp $@

.PHONY: docs check-docs
docs: docs/hypercalls.md
check-docs:
	@mkdir -p $(B)
	@python3 docs/hypercalls.py > $(B)/hypercalls.md
	@cmp -s $(B)/hypercalls.md docs/hypercalls.md || { echo "docs/hypercalls.md is out of date: run make docs"; exit 1; }
