/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_caps.h"

#include <linux/capability.h>
#include <string.h>
#include <strings.h>

#include "runtime/config/bundle_inside.h"

#define CAP(name) [name] = #name

const char *const bundle_caps_names[CAP_LAST_CAP + 2] = {
	CAP(CAP_CHOWN),
	CAP(CAP_DAC_OVERRIDE),
	CAP(CAP_DAC_READ_SEARCH),
	CAP(CAP_FOWNER),
	CAP(CAP_FSETID),
	CAP(CAP_KILL),
	CAP(CAP_SETGID),
	CAP(CAP_SETUID),
	CAP(CAP_SETPCAP),
	CAP(CAP_LINUX_IMMUTABLE),
	CAP(CAP_NET_BIND_SERVICE),
	CAP(CAP_NET_BROADCAST),
	CAP(CAP_NET_ADMIN),
	CAP(CAP_NET_RAW),
	CAP(CAP_IPC_LOCK),
	CAP(CAP_IPC_OWNER),
	CAP(CAP_SYS_MODULE),
	CAP(CAP_SYS_RAWIO),
	CAP(CAP_SYS_CHROOT),
	CAP(CAP_SYS_PTRACE),
	CAP(CAP_SYS_PACCT),
	CAP(CAP_SYS_ADMIN),
	CAP(CAP_SYS_BOOT),
	CAP(CAP_SYS_NICE),
	CAP(CAP_SYS_RESOURCE),
	CAP(CAP_SYS_TIME),
	CAP(CAP_SYS_TTY_CONFIG),
	CAP(CAP_MKNOD),
	CAP(CAP_LEASE),
	CAP(CAP_AUDIT_WRITE),
	CAP(CAP_AUDIT_CONTROL),
	CAP(CAP_SETFCAP),
	CAP(CAP_MAC_OVERRIDE),
	CAP(CAP_MAC_ADMIN),
	CAP(CAP_SYSLOG),
	CAP(CAP_WAKE_ALARM),
	CAP(CAP_BLOCK_SUSPEND),
	CAP(CAP_AUDIT_READ),
	CAP(CAP_PERFMON),
	CAP(CAP_BPF),
	CAP(CAP_CHECKPOINT_RESTORE),
};

#define SET(n)                                                                                     \
	{                                                                                          \
		.name = n, .kind = SCHEMA_ARRAY, .off = SCHEMA_NOWHERE,                            \
		.elem = &schema_string_field                                                       \
	}

static const struct schema_field fields[] = {
	SET("bounding"), SET("effective"), SET("inheritable"), SET("permitted"), SET("ambient"),
};
static const struct schema_table table = {.field = fields, .nr = ARRAY_SIZE(fields)};

int bundle_caps_number(const char *name)
{
	for (int i = 0; bundle_caps_names[i]; i++)
		if (strcasecmp(name, bundle_caps_names[i]) == 0 ||
		    strcasecmp(name, bundle_caps_names[i] + strlen("CAP_")) == 0)
			return i;
	return -1;
}

/* The specification wants a warning for a name that is not known. */
static uint64_t bundle_caps_bits(struct schema_ctx *ctx, struct json_object *array)
{
	const size_t nr = array ? json_object_array_length(array) : 0;
	uint64_t bits = 0;

	for (size_t i = 0; i < nr; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(array, i));
		const int number = bundle_caps_number(name);
		size_t mark;

		if (number >= 0) {
			bits |= 1ULL << number;
			continue;
		}
		mark = schema_push_index(ctx, i);
		schema_warn(ctx, "%s is no capability, and left out", name);
		schema_pop(ctx, mark);
	}
	return bits;
}

int bundle_caps_decode(struct schema_ctx *ctx, struct json_object *value, void *target)
{
	struct bundle_process *p = target;
	uint64_t *const bits[] = {&p->caps.bounding, &p->caps.effective, &p->caps.inheritable,
				  &p->caps.permitted, &p->caps.ambient};
	const int rc = schema_decode(ctx, value, &table, NULL);

	_Static_assert(ARRAY_SIZE(bits) == ARRAY_SIZE(fields), "a row each");
	if (rc < 0 || !target)
		return rc;
	p->caps_given = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		struct json_object *array = NULL;
		size_t mark = schema_push(ctx, fields[i].name);

		json_object_object_get_ex(value, fields[i].name, &array);
		*bits[i] = bundle_caps_bits(ctx, array);
		schema_pop(ctx, mark);
	}
	return 0;
}
