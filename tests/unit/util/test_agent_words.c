/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>

#include "runtime/util/agent_words.h"
#include "runtime/util/spec_items.h"

/* What is said of a root that could not be mounted, by where it is */
static void says(uint32_t flags, const char *name, uint32_t code, const char *wanted)
{
	const struct agent_msg failed = {
		.type = AGENT_FAILED, .code = code, .arg = {AGENT_STEP_ROOT}};
	const struct agent_root root = {.flags = flags};
	cleanup_spec_items struct spec_items items = {.bytes = NULL};
	struct err err;

	spec_items_put(&items, AGENT_ROOT, &root, sizeof(root), name);
	agent_words(&failed, items.bytes, items.len, &err);
	cr_expect_str_eq(err.msg, wanted);
}

Test(agent_words, of_a_root)
{
	says(AGENT_ROOT_DISK, "/dev/vda", EINVAL,
	     "/vm/image: no file system that the guest's kernel knows and finds whole: ext4, erofs "
	     "or "
	     "squashfs");
	says(AGENT_ROOT_DISK, "/dev/vda", EUCLEAN,
	     "/vm/image: mounting it: structure needs cleaning");
	says(0, "root", EACCES, "mounting the root file system: permission denied");
}
