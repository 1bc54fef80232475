/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: OCI features.md: what this build knows, whatever the host
 *
 * Only what is really carried out is listed: absent means unknown, false and [] mean no. Callers
 * read standard output and standard error as one JSON text, so nothing else may be printed.
 */
#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <string.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/config/bundle.h"
#include "runtime/config/bundle_caps.h"
#include "runtime/config/bundle_mount.h"
#include "runtime/config/bundle_seccomp.h"
#include "runtime/config/host_config.h"
#include "runtime/util/hook_kind.h"
#include "runtime/util/json.h"

static const char document[] =
	"{"
	"\"ociVersionMin\":\"" BUNDLE_OCI_VERSION_MIN "\","
	"\"ociVersionMax\":\"" BUNDLE_OCI_VERSION "\","
	"\"linux\":{"
	"\"namespaces\":[\"cgroup\",\"ipc\",\"mount\",\"network\",\"pid\",\"user\",\"uts\"],"
	"\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":false,\"systemdUser\":false,\"rdma\":"
	"false},"
	"\"seccomp\":{\"enabled\":true,"
	"\"archs\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]},"
	"\"apparmor\":{\"enabled\":false},"
	"\"selinux\":{\"enabled\":false},"
	"\"intelRdt\":{\"enabled\":false},"
	"\"netDevices\":{\"enabled\":false},"
	"\"mountExtensions\":{\"idmap\":{\"enabled\":false}}"
	"},"
	"\"annotations\":{\"org.vmrun.version\":\"" VMRUN_VERSION "\","
	"\"org.vmrun.devices\":\"\","
	"\"org.vmrun.net.modes\":\"private,tap,bridge,netns,macvtap,fd,none\","
	"\"org.vmrun.net.backends\":\"user,vhost\","
	"\"org.vmrun.vsock.backends\":\"user,vhost\"}"
	"}";

/* Lists of words that decoders have, and where they are in the document: in /linux, in its seccomp, or at the top */
static const struct {
	const char *in, *key;
	const char *const *words;
} lists[] = {
	{"", "hooks", hook_names},
	{"", "potentiallyUnsafeConfigAnnotations", host_config_annotations},
	{"/linux", "capabilities", bundle_caps_names},
	{"/linux/seccomp", "actions", bundle_seccomp_actions},
	{"/linux/seccomp", "operators", bundle_seccomp_operators},
	{"/linux/seccomp", "knownFlags", bundle_seccomp_flags},
	{"/linux/seccomp", "supportedFlags", bundle_seccomp_flags},
};

/* An array of words, up to a NULL; NULL itself without memory */
static struct json_object *features_array(const char *const *words)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; array && words[i]; i++)
		(void)json_object_array_add(array, json_object_new_string(words[i]));
	return array;
}

static int features_lists(struct json_object *doc)
{
	const char *words[128];
	unsigned int nr = 0;
	struct json_object *at;

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		if (json_pointer_get(doc, lists[i].in, &at) < 0 ||
		    json_object_object_add(at, lists[i].key, features_array(lists[i].words)) < 0)
			return -ENOMEM;
	while (nr < ARRAY_SIZE(words) && (words[nr] = bundle_mount_word(nr)))
		nr++;
	vr_assert(nr < ARRAY_SIZE(words));
	return json_object_object_add(doc, "mountOptions", features_array(words)) < 0 ? -ENOMEM : 0;
}

/* What /vm/devices takes: "block,net" */
static int features_devices(struct json_object *doc)
{
	struct json_object *annotations = NULL, *types;
	char text[128] = "";
	size_t len = 0;

	for (unsigned int i = 0; kind_types[i]; i++)
		len += fmt_into(text + len, sizeof(text) - len, "%s%s", i > 0 ? "," : "",
				kind_types[i]);
	types = json_object_new_string(text);
	if (!types || !json_object_object_get_ex(doc, "annotations", &annotations))
		return -ENOMEM;
	return json_object_object_add(annotations, "org.vmrun.devices", types) < 0 ? -ENOMEM : 0;
}

static int features_run(struct vmrun *v UNUSED, const struct verb_args *a UNUSED, struct err *err)
{
	cleanup_json struct json_object *obj = json_tokener_parse(document);
	const char *text;
	int rc;

	if (!obj || features_devices(obj) < 0 || features_lists(obj) < 0)
		return err_set(err, ENOMEM, "features");
	text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE);
	rc = fd_write_full(STDOUT_FILENO, text, strlen(text));
	if (rc == 0)
		rc = fd_write_full(STDOUT_FILENO, "\n", 1);
	return rc < 0 ? err_set(err, -rc, "standard output") : 0;
}

const struct verb verb_features = {
	.name = "features",
	.summary = "Print the OCI features document",
	.stateless = true,
	.run = features_run,
};
