/* SPDX-License-Identifier: MIT */
/* S-expressions: what is read is printed, plainly and prettily, and each of those reads as the same; and (vm ...) into a configuration. */
#include "lib/base/sxp.h"
#include "lib/config/domain_config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *printed(const struct sxp *x, bool pretty)
{
	struct text t = {0};

	sxp_print(x, pretty, &t);
	return text_take(&t);
}

static void check_again(const char *text, const char *plain)
{
	struct error e;
	struct sxp *x = sxp_parse("again", text, &e);
	char *s;

	if (!x)
		abort();
	s = printed(x, false);
	if (strcmp(s, plain))
		abort();
	free(s);
	sxp_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct domain_config c;
	struct diagnostics found = {0};
	struct error e = {0};
	struct sxp *x = sxp_parse("f", text, &e);

	if (x) {
		char *plain = printed(x, false), *pretty = printed(x, true);

		check_again(plain, plain);
		check_again(pretty, plain);
		free(plain);
		free(pretty);
	} else if (!e.text[0]) {
		abort();
	}
	sxp_free(x);
	sxp_free(sxp_parse_all("f", text, &e));
	if (config_read_text("f", text, CONFIG_SXP, NULL, 0, &c, &found) && !found.errors)
		abort();
	config_free(&c);
	diagnostics_free(&found);
	free(text);
	return 0;
}
