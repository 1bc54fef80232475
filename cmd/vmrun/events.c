/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cmd/vmrun/found.h"
#include "runtime/util/json.h"

#define INTERVAL_MS 5000

struct events_options {
	bool stats;
	const char *interval;
};

static const struct option_spec options[] = {
	{"stats", 0, OPTION_FLAG, NULL, "print what it uses now, and stop",
	 offsetof(struct events_options, stats), NULL},
	{"interval", 0, OPTION_STRING, "TIME", "how often otherwise: 5s (default), 500ms, 1m",
	 offsetof(struct events_options, interval), NULL},
	{.name = NULL},
};

/* "5s", as callers of runc write it; a number alone is seconds */
static int events_interval(const char *text, int *ret, struct err *err)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
	char *end;
	uint64_t n;

	*ret = INTERVAL_MS;
	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (*text < '0' || *text > '9' || errno || n == 0 || n > INT32_MAX / units[i].ms)
			break;
		*ret = (int)(n * units[i].ms);
		return 0;
	}
	return err_text(err, EINVAL, "option --interval wants a time such as 5s, not %s", text);
}

/* ---- the line ---- */

static void events_add(struct json_object *o, const char *key, uint64_t v)
{
	json_add(o, key, json_object_new_uint64(v));
}

static struct json_object *events_add_object(struct json_object *o, const char *key)
{
	struct json_object *inner = json_object_new_object();

	json_add(o, key, inner);
	return inner;
}

static void events_add_usage(struct json_object *o, const char *key, uint64_t usage, uint64_t limit,
			     uint64_t max, uint64_t failures)
{
	struct json_object *u = events_add_object(o, key);

	events_add(u, "limit", limit);
	events_add(u, "usage", usage);
	events_add(u, "max", max);
	events_add(u, "failcnt", failures);
}

static void events_add_cpu(struct json_object *data, const struct cgroup_stats *s)
{
	struct json_object *cpu = events_add_object(data, "cpu");
	struct json_object *usage = events_add_object(cpu, "usage");
	struct json_object *throttling = events_add_object(cpu, "throttling");

	events_add(usage, "total", s->cpu_ns);
	events_add(usage, "kernel", s->cpu_kernel_ns);
	events_add(usage, "user", s->cpu_user_ns);
	events_add(throttling, "periods", s->periods);
	events_add(throttling, "throttledPeriods", s->throttled_periods);
	events_add(throttling, "throttledTime", s->throttled_ns);
}

static void events_add_memory(struct json_object *data, struct cgroup_stats *s)
{
	struct json_object *memory = events_add_object(data, "memory");
	struct json_object *raw;
	char *rest;

	events_add(memory, "cache", s->cache);
	events_add_usage(memory, "usage", s->memory, s->memory_limit, s->memory_max,
			 s->memory_failures);
	events_add_usage(memory, "swap", s->swap, s->swap_limit, 0, 0);
	raw = events_add_object(memory, "raw");
	for (char *line = strtok_r(s->memory_stat, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *number = strchr(line, ' ');

		if (!number)
			continue;
		*number++ = '\0';
		events_add(raw, line, strtoull(number, NULL, 10));
	}
}

static int events_print(const char *type, const char *id, struct json_object *data, struct err *err)
{
	cleanup_json struct json_object *o = json_object_new_object();

	json_add_string(o, "type", type);
	json_add_string(o, "id", id);
	if (data)
		json_add(o, "data", data);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	return vmrun_flush(err);
}

static int events_print_stats(const char *id, struct cgroup_stats *s, struct err *err)
{
	struct json_object *data = json_object_new_object(), *pids;

	events_add_cpu(data, s);
	events_add_memory(data, s);
	pids = events_add_object(data, "pids");
	events_add(pids, "current", s->pids);
	/* As runc has it, 0 is no limit. */
	events_add(pids, "limit", s->pids_limit == UINT64_MAX ? 0 : s->pids_limit);
	return events_print("stats", id, data, err);
}

/* ---- the verb ---- */

/* Until the VM has ended */
static int events_follow(const struct found *f, const char *id, int interval_ms, struct err *err)
{
	cleanup_fd int pidfd = process_open(&f->state->supervisor);
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	static struct cgroup_stats s;
	uint64_t kills = 0;
	int rc = 0, n = 0;

	if (pidfd < 0)
		return err_text(err, ESRCH, "container not running");
	for (bool first = true; rc == 0 && n == 0; first = false) {
		cgroup_found_stats(&f->cgroup, &s);
		if (!first && s.oom_kills > kills)
			rc = events_print("oom", id, NULL, err);
		kills = s.oom_kills;
		if (rc == 0)
			rc = events_print_stats(id, &s, err);
		do
			n = poll(&end, 1, interval_ms);
		while (n < 0 && errno == EINTR);
	}
	return rc;
}

static int events(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct events_options *o = a->opt;
	cleanup_found struct found f = {.dir = -1};
	static struct cgroup_stats s; /* the kernel's lists are long */
	int interval_ms, rc = vmrun_usage(v, events_interval(o->interval, &interval_ms, err));

	if (rc == 0)
		rc = found_open(v, a->arg[0], &f, err);
	if (rc < 0)
		return rc;
	if (!o->stats)
		return events_follow(&f, a->arg[0], interval_ms, err);
	cgroup_found_stats(&f.cgroup, &s);
	return events_print_stats(a->arg[0], &s, err);
}

const struct verb verb_events = {
	.name = "events",
	.synopsis = "[--stats | --interval TIME] ID",
	.summary = "Print what a VM uses on the host, and OOM kills, as lines of JSON",
	.options = options,
	.opt_bytes = sizeof(struct events_options),
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = events,
};
