/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/util/oci_log.h"

static char text[8192];

static const char *written(const struct oci_log *o)
{
	ssize_t n = pread(o->fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static struct oci_log new_log(bool json, enum log_level max)
{
	return (struct oci_log){.fd = memfd_create("log", 0), .json = json, .max = max};
}

/* containerd decodes line by line, podman the whole file: one byte that is not JSON loses the error */
Test(oci_log, lines_are_json_for_any_text)
{
	static const char *const nasty[] = {
		"plain",       "quote \" and \\",    "new\nline",
		"\x1b[31mred", "\xff\xfe not UTF-8", "caf\xc3\xa9",
	};

	for (size_t i = 0; i < ARRAY_SIZE(nasty); i++) {
		struct oci_log o = new_log(true, LOG_LEVEL_ERROR);
		struct json_object *line, *v;

		oci_log_write(&o, LOG_LEVEL_ERROR, "%s", nasty[i]);
		line = json_tokener_parse(written(&o));
		cr_assert(line, "%s", text);
		cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1);
		cr_assert(json_object_object_get_ex(line, "level", &v));
		cr_expect_str_eq(json_object_get_string(v), "error");
		cr_assert(json_object_object_get_ex(line, "msg", &v));
		if (i < 3)
			cr_expect_str_eq(json_object_get_string(v), nasty[i]);
		json_object_put(line);
	}
}

Test(oci_log, a_long_text_is_cut_between_characters)
{
	struct oci_log o = new_log(true, LOG_LEVEL_ERROR);
	struct json_object *line;
	char longest[2000];

	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	oci_log_write(&o, LOG_LEVEL_ERROR, "%s", longest);
	line = json_tokener_parse(written(&o));
	cr_expect(line, "%s", text);
	json_object_put(line);
}

Test(oci_log, keeps_to_its_level)
{
	struct oci_log o = new_log(false, LOG_LEVEL_ERROR);

	oci_log_write(&o, LOG_LEVEL_WARN, "no");
	cr_expect_str_empty(written(&o));
	oci_log_write(&o, LOG_LEVEL_ERROR, "yes");
	cr_expect(strstr(written(&o), " level=error msg=\"yes\"\n"), "%s", text);
}

Test(oci_log, levels)
{
	enum log_level l;

	cr_expect_eq(oci_log_level("warn", &l), 0);
	cr_expect_eq(l, LOG_LEVEL_WARN);
	cr_expect_eq(oci_log_level("debug", &l), 0);
	cr_expect_eq(l, LOG_LEVEL_DEBUG);
	cr_expect_eq(oci_log_level("fatal", &l), -EINVAL);
}

Test(oci_log, what_a_terminal_shows_is_printable)
{
	struct oci_log o = new_log(false, LOG_LEVEL_ERROR);

	o.plain = true;
	oci_log_write(&o, LOG_LEVEL_ERROR,
		      "bundle /a\nvmrun: \x1b[2J\xc2\x9b"
		      "1m caf\xc3\xa9");
	cr_expect_str_eq(written(&o), "vmrun: bundle /a?vmrun: ?[2J?1m caf\xc3\xa9\n");
}
