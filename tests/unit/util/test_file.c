/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/util/file.h"

/* A temporary file of @bytes times 'x'; its fd */
static int make_file(size_t bytes, char ret_path[32])
{
	int fd;

	strcpy(ret_path, "/tmp/vmrun-test-file-XXXXXX");
	fd = mkstemp(ret_path);
	cr_assert(fd >= 0);
	while (bytes-- > 0)
		cr_assert_eq(write(fd, "x", 1), 1);
	return fd;
}

Test(file, small_files_are_read_and_cut)
{
	char path[32], text[8] = "before";

	close(make_file(3, path));
	cr_expect_eq(file_read(AT_FDCWD, path, text, sizeof(text)), 3);
	cr_expect_str_eq(text, "xxx");
	cr_expect_eq(file_read(AT_FDCWD, path, text, 3), 2);
	cr_expect_str_eq(text, "xx");
	unlink(path);
	cr_expect_eq(file_read(AT_FDCWD, path, text, sizeof(text)), -ENOENT);
	cr_expect_str_eq(text, "");
	cr_expect_eq(file_read(AT_FDCWD, "/tmp", text, sizeof(text)), -EISDIR);
}

Test(file, texts_of_any_length_are_read_whole)
{
	static const size_t bytes[] = {0, 1, 16382, 16383, 16384, 40000};
	char path[32], *text;

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		text = NULL;
		close(make_file(bytes[i], path));
		cr_expect_eq(file_read_all(path, &text), 0);
		cr_expect_eq(strlen(text), bytes[i]);
		free(text);
		unlink(path);
	}
	text = NULL;
	cr_expect_eq(file_read_all(path, &text), -ENOENT);
	cr_expect_null(text);
}
