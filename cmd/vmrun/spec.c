/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/config/bundle.h"
#include "runtime/util/json.h"

struct spec_options {
	const char *bundle;
	bool rootless;
	bool full;
	bool container;
};

static const struct option_spec options[] = {
	{.name = "bundle",
	 .letter = 'b',
	 .kind = OPTION_STRING,
	 .value = "DIR",
	 .help = "directory to write config.json to (default: the current one)",
	 .offset = offsetof(struct spec_options, bundle)},
	{.name = "container",
	 .kind = OPTION_FLAG,
	 .help = "write one that runs a shell in the directory rootfs, in a VM",
	 .offset = offsetof(struct spec_options, container)},
	{.name = "full",
	 .kind = OPTION_FLAG,
	 .help = "print, instead of writing, one with every type of device",
	 .offset = offsetof(struct spec_options, full)},
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

/* For a directory of files such as an image unpacked has; with the values that users of runc know from its own */
#define SPEC_CAPS "\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\""
#define SPEC_MOUNT(destination, type, source, options)                                             \
	"\t\t{\"destination\": \"" destination "\", \"type\": \"" type "\", \"source\": \"" source \
	"\", \"options\": [" options "]}"
#define SPEC_QUIET "\"nosuid\", \"noexec\", \"nodev\""

static const char container
	[] = "{\n"
	     "\t\"ociVersion\": \"" BUNDLE_OCI_VERSION "\",\n"
	     "\t\"process\": {\n"
	     "\t\t\"terminal\": true,\n"
	     "\t\t\"user\": {\"uid\": 0, \"gid\": 0},\n"
	     "\t\t\"args\": [\"sh\"],\n"
	     "\t\t\"env\": [\n"
	     "\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
	     "\t\t\t\"TERM=xterm\"\n"
	     "\t\t],\n"
	     "\t\t\"cwd\": \"/\",\n"
	     "\t\t\"capabilities\": {\n"
	     "\t\t\t\"bounding\": [" SPEC_CAPS "],\n"
	     "\t\t\t\"effective\": [" SPEC_CAPS "],\n"
	     "\t\t\t\"permitted\": [" SPEC_CAPS "]\n"
	     "\t\t},\n"
	     "\t\t\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],\n"
	     "\t\t\"noNewPrivileges\": true\n"
	     "\t},\n"
	     "\t\"root\": {\n"
	     "\t\t\"path\": \"rootfs\",\n"
	     "\t\t\"readonly\": true\n"
	     "\t},\n"
	     "\t\"hostname\": \"vmrun\",\n"
	     "\t\"mounts\": [\n" SPEC_MOUNT(
		     "/proc",
		     "proc", "proc", SPEC_QUIET) ",\n" SPEC_MOUNT("/dev", "tmpfs", "tmpfs", "\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"") ",\n" SPEC_MOUNT("/dev/pts", "devpts", "devpts", "\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"") ",\n" SPEC_MOUNT("/dev/shm", "tmpfs", "shm", SPEC_QUIET ", \"mode=1777\", \"size=65536k\"") ",\n" SPEC_MOUNT("/dev/mqueue", "mqueue", "mqueue", SPEC_QUIET) ",\n" SPEC_MOUNT("/sys",
																																																										"sysfs", "sysfs", SPEC_QUIET ", \"ro\"") ",\n" SPEC_MOUNT("/sys/fs/cgroup",
																																																																	  "cgroup",
																																																																	  "cgroup",
																																																																	  SPEC_QUIET
																																																																	  ", \"relatime\", \"ro\"") "\n"
																																																																				    "\t],\n"
																																																																				    "\t\"linux\": {\n"
																																																																				    "\t\t\"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},\n"
																																																																				    "\t\t\"namespaces\": [\n"
																																																																				    "\t\t\t{\"type\": \"pid\"},\n"
																																																																				    "\t\t\t{\"type\": \"network\"},\n"
																																																																				    "\t\t\t{\"type\": \"ipc\"},\n"
																																																																				    "\t\t\t{\"type\": \"uts\"},\n"
																																																																				    "\t\t\t{\"type\": \"mount\"},\n"
																																																																				    "\t\t\t{\"type\": \"cgroup\"}\n"
																																																																				    "\t\t],\n"
																																																																				    "\t\t\"maskedPaths\": [\n"
																																																																				    "\t\t\t\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\", \"/proc/latency_stats\",\n"
																																																																				    "\t\t\t\"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\", \"/sys/firmware\",\n"
																																																																				    "\t\t\t\"/proc/scsi\"\n"
																																																																				    "\t\t],\n"
																																																																				    "\t\t\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\"]\n"
																																																																				    "\t}\n"
																																																																				    "}\n";

/* Of each type that config.json has, an array of devices; together they show every property that is not of a
 * network's other modes (runtime/net/README.md) */
static const char *const spec_devices[KINDS] = {
	[KIND_BLOCK] =
		"[{\"type\": \"block\", \"path\": \"data.qcow2\", \"format\": \"qcow2\","
		" \"readonly\": false, \"direct\": false, \"queues\": 2, \"serial\": \"data\"}]",
	[KIND_NET] = "[{\"type\": \"net\", \"mode\": \"private\", \"masquerade\": true,"
		     " \"pool\": \"10.123.0.0/16\", \"queues\": 2},"
		     "{\"type\": \"net\", \"mode\": \"tap\", \"name\": \"vmtap0\","
		     " \"hostIp\": \"10.9.0.1\", \"netmask\": \"255.255.255.0\","
		     " \"guestIp\": \"10.9.0.2\", \"gateway\": \"10.9.0.1\","
		     " \"mac\": \"02:00:00:00:00:01\", \"mtu\": 1400, \"backend\": \"user\","
		     " \"rateLimit\": {\"toGuest\": {\"bytesPerSecond\": 10000000}}}]",
	[KIND_RNG] = "[{\"type\": \"rng\"}]",
	[KIND_CONSOLE] = "[{\"type\": \"console\", \"onFailure\": \"restart\", \"log\": "
			 "\"console.log\", \"logBytes\": 1048576,"
			 " \"ports\": [{\"name\": \"org.example.agent\"}]}]",
	[KIND_BALLOON] = "[{\"type\": \"balloon\", \"size\": 0, \"deflateOnOom\": true}]",
	[KIND_VSOCK] = "[{\"type\": \"vsock\", \"cid\": 3, \"socket\": \"vsock\","
		       " \"backend\": \"vhost\", \"listen\": [5000]}]",
	[KIND_FS] = "[{\"type\": \"fs\", \"tag\": \"data\", \"source\": \"data\","
		    " \"readonly\": false, \"cache\": \"auto\", \"writeback\": false,"
		    " \"posixAcl\": false},"
		    "{\"type\": \"fs\", \"tag\": \"parts\", \"sources\": ["
		    "{\"source\": \"data\", \"name\": \"d\", \"readonly\": true}]}]",
	[KIND_SERIAL] = "[{\"type\": \"serial\"}]",
	[KIND_VHOST_USER] = "[{\"type\": \"vhost-user\", \"device\": \"fs\","
			    " \"socket\": \"virtiofsd.sock\", \"tag\": \"shared\"}]",
};

/* The example with all of these in place of its devices; NULL without memory */
static struct json_object *spec_full(void)
{
	struct json_object *o = json_tokener_parse(example), *vm, *devices;

	if (!o || !json_object_object_get_ex(o, "vm", &vm) ||
	    json_object_object_add(vm, "devices", json_object_new_array()) < 0)
		return NULL;
	json_object_object_get_ex(vm, "devices", &devices);
	for (unsigned int id = 0; id < KINDS; id++) {
		struct json_object *some = spec_devices[id] ? json_tokener_parse(spec_devices[id])
							    : NULL;

		for (size_t i = 0; some && i < json_object_array_length(some); i++)
			(void)json_object_array_add(
				devices, json_object_get(json_object_array_get_idx(some, i)));
		json_object_put(some);
	}
	return o;
}

static int spec_print_full(struct err *err)
{
	cleanup_json struct json_object *o = spec_full();
	const char *text = o ? json_object_to_json_string_ext(
				       o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
						  JSON_C_TO_STRING_SPACED |
						  JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;

	if (!text)
		return err_set(err, ENOMEM, "example");
	puts(text);
	return vmrun_flush(err);
}

static int spec_run(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct spec_options *o = a->opt;
	const char *text = o->container ? container : example;
	cleanup_fd int fd = -1;
	char path[PATH_MAX];
	int rc;

	if (o->full && (o->bundle || o->container))
		return vmrun_usage(v, err_text(err, EINVAL,
					       "--full prints the example of a VM, and %s",
					       o->bundle ? "--bundle says where to write"
							 : "--container writes another one"));
	if (o->full)
		return spec_print_full(err);
	if (fmt_into(path, sizeof(path), "%s/config.json", o->bundle ? o->bundle : ".") ==
	    sizeof(path) - 1)
		return err_set(err, ENAMETOOLONG, "--bundle");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_text(err, EEXIST, "%s: exists already, and is left alone", path);
	if (fd < 0)
		return err_set(err, errno, "%s", path);
	rc = fd_write_full(fd, text, strlen(text));
	if (rc == 0)
		return 0;
	/* half an example would stop the next attempt */
	unlink(path);
	return err_set(err, -rc, "%s", path);
}

const struct verb verb_spec = {
	.name = "spec",
	.synopsis = "[-b DIR] [--container] | --full",
	.summary = "Write an example config.json, of a VM or a container; or print one with every "
		   "type of device",
	.options = options,
	.opt_bytes = sizeof(struct spec_options),
	.stateless = true,
	.run = spec_run,
};
