/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/json.h"

static int parse(const char *text, size_t len, struct err *err)
{
	struct json_object *obj = NULL;
	int rc;

	*err = (struct err){0};
	rc = json_parse(text, len, "f", &obj, err);
	cr_assert((rc == 0) == (obj != NULL));
	json_object_put(obj);
	return rc;
}

Test(json, accepts_what_is_json)
{
	static const char *const good[] = {
		"{}",
		" {}\n\n",
		"{\"a\":{\"x\":1},\"b\":{\"x\":2}}",
		"[{\"a\":1},{\"a\":2}]",
		"{\"a\":18446744073709551615,\"b\":-9223372036854775808}",
		"{\"a\":1.5,\"b\":-2e3,\"c\":0}",
		"{\"a\":\"\\u00e9\\n\\\"\\\\\",\"\\\\\":1}",
		"{\"a\":[true,false,null]}",
		"{\"u0000\":\"u0000\"}",
		"{\"a\":\"x:y\", \"b\" : \"{\\\"a\\\":1}\"}",
	};
	struct err err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(parse(good[i], strlen(good[i]), &err) == 0, "%s: %s", good[i], err.msg);
}

Test(json, names_line_and_column)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
		{"", "f: line 1, column 1: not JSON: unexpected end of data"},
		{"{\n\t\"a\": 1,\n\t\"b\"\n}", "f: line 4, column 1: not JSON: "},
		{"{\"a\":1,}", "f: line 1, column 8: not JSON: "},
		{"{} x", "f: line 1, column 4: not JSON: "},
		{"{\"a\": /* c */ 1}", "f: line 1, column 7: not JSON: "},
		{"{\n 'a': 1}", "f: line 2, column 2: not JSON: "},
		{"{\"a\": NaN}", "f: line 1, column 7: not JSON: "},
		{"{\"a\": -Infinity}", "f: line 1, column "},
		{"{\"a\": \"x\ny\"}", "f: line 1, column 9: not JSON: a control character"},
		{"{\"a\": 1,\n \"a\": 2}", "f: line 2, column 2: the same key twice in one object"},
		{"{\"a\": 1, \"\\u0061\": 2}", "f: line 1, column 10: the same key twice"},
		{"[{\"b\":{\"a\":1,\"c\":[],\"a\":1}}]",
		 "f: line 1, column 21: the same key twice"},
		{"{\"a\": \"\\u0000\"}", "f: line 1, column 8: a NUL in a string"},
		{"{\"a\\u0000b\": 1}", "f: line 1, column 4: a NUL in a string"},
		{"{\"a\": 18446744073709551616}",
		 "f: line 1, column 7: a number that does not fit"},
		{"{\"a\": -9223372036854775809}",
		 "f: line 1, column 7: a number that does not fit"},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect(parse(bad[i].text, strlen(bad[i].text), &err) == -EINVAL, "%s",
			  bad[i].text);
		cr_expect(strncmp(err.msg, bad[i].msg, strlen(bad[i].msg)) == 0, "%s: got %s",
			  bad[i].text, err.msg);
	}
}

Test(json, refuses_a_nul_byte)
{
	static const char text[] = "{}\n\0{}";
	struct err err;

	cr_assert_eq(parse(text, sizeof(text) - 1, &err), -EINVAL);
	cr_assert_str_eq(err.msg, "f: line 2, column 1: not JSON: a NUL byte");
}

Test(json, bounds_the_depth)
{
	char text[2 * 40 + 1];
	struct err err;

	for (unsigned int depth = JSON_DEPTH_MAX - 2; depth <= 40; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		if (depth <= JSON_DEPTH_MAX - 2)
			cr_expect(parse(text, 2 * depth, &err) == 0, "%u: %s", depth, err.msg);
		if (depth > JSON_DEPTH_MAX)
			cr_expect(parse(text, 2 * depth, &err) == -EINVAL, "%u", depth);
	}
}

Test(json, many_keys_take_no_quadratic_time, .timeout = 60)
{
	char *text = malloc(JSON_TEXT_MAX + 1);
	size_t n = 0;
	struct err err;

	text[n++] = '{';
	for (unsigned int i = 0; n < JSON_TEXT_MAX - 20; i++)
		n += (size_t)sprintf(text + n, "%s\"%x\":1", i ? "," : "", i);
	text[n++] = '}';
	text[n] = '\0';
	cr_expect(parse(text, n, &err) == 0, "%s", err.msg);
	free(text);
}

Test(json, bounds_the_size)
{
	char *text = malloc(JSON_TEXT_MAX + 2);
	struct err err;

	memset(text, ' ', JSON_TEXT_MAX + 1);
	text[0] = '{';
	text[1] = '}';
	text[JSON_TEXT_MAX + 1] = '\0';
	cr_expect(parse(text, JSON_TEXT_MAX, &err) == 0, "%s", err.msg);
	cr_expect(parse(text, JSON_TEXT_MAX + 1, &err) == -EFBIG);
	free(text);
}

/* Every prefix of a text ends in a verdict, and only the whole is good. */
Test(json, every_truncation_is_an_error)
{
	static const char text[] = "{\"a\":[1,-2.5e1,true,null,\"x\\u0041\"],\"b\":{\"c\":\"d\"}}";
	char copy[sizeof(text)];
	struct err err;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		cr_expect(parse(copy, n, &err) == -EINVAL, "%zu", n);
	}
	cr_expect(parse(text, sizeof(text) - 1, &err) == 0, "%s", err.msg);
}

Test(json, read_text_says_what_is_wrong)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct err err = {0};
	char *text = NULL, path[32];
	size_t len;

	cr_expect_eq(json_read_text("/nonexistent", &text, &len, &err), -ENOENT);
	cr_expect(strstr(err.msg, "/nonexistent"));
	cr_expect_eq(json_read_text("/tmp", &text, &len, &err), -EISDIR);
	cr_expect_eq(json_read_text("/dev/null", &text, &len, &err), -EINVAL);
	cr_assert_geq(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(ftruncate(fd, JSON_TEXT_MAX + 1), 0);
	cr_expect_eq(json_read_text(path, &text, &len, &err), -EFBIG);
	cr_expect_null(text);
	cr_assert_eq(ftruncate(fd, JSON_TEXT_MAX), 0);
	cr_expect_eq(json_read_text(path, &text, &len, &err), 0, "%s", err.msg);
	cr_expect_eq(len, JSON_TEXT_MAX);
	free(text);
	close(fd);
}
