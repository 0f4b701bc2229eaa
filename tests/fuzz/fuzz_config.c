/* SPDX-License-Identifier: MIT */
/*
 * The readers of domain configurations. The first byte picks the grammar. What is accepted is written in each format, read again and
 * written again: the second must be as the first. Python is left out: no program is there under its name.
 */
#include "lib/base/sxp.h"
#include "lib/config/domain_config.h"
#include "lib/config/value.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *json_of(const struct domain_config *c)
{
	json_t *json = config_to_json(c);
	char *s = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return s;
}

static char *sxp_of(const struct domain_config *c)
{
	struct text t = {0};
	struct sxp *x = config_to_sxp(c, 1);

	sxp_print(x, true, &t);
	sxp_free(x);
	return text_take(&t);
}

/* S-expressions have no place for some members, so there only the second round is compared. */
static void check_accepted(const struct domain_config *c)
{
	struct domain_config again, copy;
	struct diagnostics found = {0};
	char *json = json_of(c), *sxp = sxp_of(c), *s;

	if (config_read_text("j", json, CONFIG_XL, NULL, 0, &again, &found))
		abort();
	s = json_of(&again);
	if (strcmp(s, json))
		abort();
	free(s);
	config_copy(&copy, &again);
	config_free(&again);
	config_free(&copy);
	if (!config_read_text("s", sxp, CONFIG_SXP, NULL, 0, &again, &found)) {
		s = sxp_of(&again);
		if (strcmp(s, sxp))
			abort();
		free(s);
	}
	config_free(&again);
	diagnostics_free(&found);
	free(json);
	free(sxp);
}

static void one_device(const char *text)
{
	struct disk_config disk;
	struct nic_config nic;
	struct diagnostics found = {0};

	spec_parse(&disk_kind, text, &disk, &found);
	spec_free(&disk_kind, &disk);
	spec_parse(&nic_kind, text, &nic, &found);
	spec_free(&nic_kind, &nic);
	diagnostics_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain_config c;
	struct diagnostics found = {0};
	static char whole[] = "name='a';kernel='/k'";
	char *text, *words[2] = {whole};
	int rc;

	if (!size)
		return 0;
	python_program = "/nowhere";
	text = strndup((const char *)data + 1, size - 1);
	words[1] = text;
	switch (*data % 4) {
	case 0:
		rc = config_read_text("f", text, CONFIG_XL, NULL, 0, &c, &found);
		break;
	case 1:
		rc = config_read_text("f", text, CONFIG_XM, NULL, 0, &c, &found);
		break;
	case 2:
		rc = config_read_text("f", "", CONFIG_XM, words, 2, &c, &found);
		break;
	default:
		one_device(text);
		rc = config_read_text("f", text, CONFIG_XL, NULL, 0, &c, &found);
	}
	if (rc ? !found.errors : found.errors)
		abort();
	if (!rc)
		check_accepted(&c);
	config_free(&c);
	diagnostics_free(&found);
	free(text);
	return 0;
}
