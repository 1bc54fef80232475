/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/config/bundle.h"

struct spec_options {
	const char *bundle;
	bool rootless;
};

static const struct option_spec options[] = {
	{.name = "bundle",
	 .letter = 'b',
	 .kind = OPTION_STRING,
	 .value = "DIR",
	 .help = "directory to write config.json to (default: the current one)",
	 .offset = offsetof(struct spec_options, bundle)},
	{.name = "rootless",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct spec_options, rootless)},
	{.name = NULL},
};

/* JSON has no comments: runtime/config/README.md explains each property. */
static const char example[] = "{\n"
			      "\t\"ociVersion\": \"" BUNDLE_OCI_VERSION "\",\n"
			      "\t\"root\": {\n"
			      "\t\t\"path\": \".\",\n"
			      "\t\t\"readonly\": false\n"
			      "\t},\n"
			      "\t\"hostname\": \"guest\",\n"
			      "\t\"vm\": {\n"
			      "\t\t\"kernel\": {\n"
			      "\t\t\t\"path\": \"vmlinuz\",\n"
			      "\t\t\t\"initrd\": \"initrd.img\",\n"
			      "\t\t\t\"parameters\": [\"quiet\"]\n"
			      "\t\t},\n"
			      "\t\t\"image\": {\n"
			      "\t\t\t\"path\": \"root.img\",\n"
			      "\t\t\t\"format\": \"raw\"\n"
			      "\t\t},\n"
			      "\t\t\"hwConfig\": {\n"
			      "\t\t\t\"vcpus\": 1,\n"
			      "\t\t\t\"memory\": 268435456\n"
			      "\t\t},\n"
			      "\t\t\"devices\": [\n"
			      "\t\t\t{\"type\": \"serial\"},\n"
			      "\t\t\t{\"type\": \"rng\"},\n"
			      "\t\t\t{\"type\": \"net\", \"masquerade\": true}\n"
			      "\t\t]\n"
			      "\t},\n"
			      "\t\"annotations\": {\n"
			      "\t\t\"org.opencontainers.image.os\": \"linux\"\n"
			      "\t}\n"
			      "}\n";

static int spec_run(struct vmrun *v UNUSED, const struct verb_args *a, struct err *err)
{
	const struct spec_options *o = a->opt;
	cleanup_fd int fd = -1;
	char path[PATH_MAX];
	int rc;

	if (fmt_into(path, sizeof(path), "%s/config.json", o->bundle ? o->bundle : ".") ==
	    sizeof(path) - 1)
		return err_set(err, ENAMETOOLONG, "--bundle");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_text(err, EEXIST, "%s: exists already, and is left alone", path);
	if (fd < 0)
		return err_set(err, errno, "%s", path);
	rc = fd_write_full(fd, example, sizeof(example) - 1);
	if (rc == 0)
		return 0;
	/* half an example would stop the next attempt */
	unlink(path);
	return err_set(err, -rc, "%s", path);
}

const struct verb verb_spec = {
	.name = "spec",
	.synopsis = "[-b DIR]",
	.summary = "Write an example config.json",
	.options = options,
	.opt_bytes = sizeof(struct spec_options),
	.stateless = true,
	.run = spec_run,
};
