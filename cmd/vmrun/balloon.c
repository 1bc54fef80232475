/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client.h"
#include "runtime/util/json.h"

/* A guest has this long to bring new statistics; an idle one needs a millisecond */
#define BALLOON_LOOK_NS 10000000
#define BALLOON_LOOKS	100

/* By tag (VIRTIO_BALLOON_S_*); virtio 1.3 section 5.5.6.4 says what each counts */
static const char *const balloon_stats[CTL_BALLOON_STATS_NR] = {
	"swapInBytes",	       "swapOutBytes",	   "majorFaults",    "minorFaults",
	"freeBytes",	       "totalBytes",	   "availableBytes", "diskCacheBytes",
	"hugePageAllocations", "hugePageFailures",
};

/* Asks for new statistics and waits for them a while; *@ret_fresh is false when the guest sent none */
static int balloon_fetch_stats(int dir, struct reply *ret, bool *ret_fresh, struct err *err)
{
	const struct timespec pause = {.tv_nsec = BALLOON_LOOK_NS};
	struct request q = {.op = REQUEST_BALLOON_STATS, .arg = 1};
	int rc = client_ask(dir, &q, -1, NULL, ret, err);
	uint64_t before;

	if (rc < 0)
		return rc;
	before = ret->value[CTL_BALLOON_UPDATES];
	q.arg = 0;
	for (unsigned int i = 0; rc == 0 && i < BALLOON_LOOKS; i++) {
		if (ret->value[CTL_BALLOON_UPDATES] != before ||
		    !(ret->value[CTL_BALLOON_KNOWN] & CTL_BALLOON_ANSWERS))
			break;
		nanosleep(&pause, NULL);
		rc = client_ask(dir, &q, -1, NULL, ret, err);
	}
	*ret_fresh = ret->value[CTL_BALLOON_UPDATES] != before;
	return rc;
}

static void balloon_add_stats(struct json_object *o, const struct reply *r, bool fresh)
{
	struct json_object *stats = json_object_new_object();

	for (unsigned int i = 0; i < CTL_BALLOON_STATS_NR; i++)
		if (r->value[CTL_BALLOON_KNOWN] >> i & 1)
			json_add(stats, balloon_stats[i],
				 json_object_new_uint64(r->value[CTL_BALLOON_STAT + i]));
	json_add(o, "statistics", stats);
	if (!fresh)
		json_add(o, "statisticsAreOld", json_object_new_boolean(true));
}

static int balloon_show(int dir, const struct state *s, struct err *err)
{
	cleanup_json struct json_object *o = json_object_new_object();
	const struct request q = {.op = REQUEST_BALLOON};
	struct reply size, stats;
	bool fresh;
	int rc = balloon_fetch_stats(dir, &stats, &fresh, err);

	if (rc == 0)
		rc = client_ask(dir, &q, -1, NULL, &size, err);
	if (rc < 0)
		return rc;
	json_add_string(o, "id", s->id);
	json_add_uint(o, "memoryBytes", s->mem_bytes);
	json_add(o, "targetBytes", json_object_new_uint64(size.value[CTL_BALLOON_TARGET]));
	json_add(o, "actualBytes", json_object_new_uint64(size.value[CTL_BALLOON_ACTUAL]));
	if (stats.value[CTL_BALLOON_UPDATES] > 0)
		balloon_add_stats(o, &stats, fresh);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	return vmrun_flush(err);
}

static int balloon(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	struct request q = {.op = REQUEST_BALLOON, .arg = CTL_BALLOON_SET};
	cleanup_fd int dir = -1;
	struct state *s;
	int rc;

	if (a->nr > 1 && options_size(a->arg[1], &q.value) < 0)
		return vmrun_usage(v, err_text(err, EINVAL,
					       "SIZE is a number of bytes, or one with K, M, G or "
					       "T, not \"%s\"",
					       a->arg[1]));
	rc = state_open(v->root, a->arg[0], &dir, err);
	if (rc == 0)
		rc = state_load(dir, &s, err);
	if (rc < 0)
		return rc;
	if (s->status == STATE_STOPPED)
		rc = err_text(err, ESRCH, "container not running");
	else if (a->nr > 1)
		rc = client_ask(dir, &q, -1, NULL, NULL, err);
	else
		rc = balloon_show(dir, s, err);
	state_free(s);
	return rc;
}

const struct verb verb_balloon = {
	.name = "balloon",
	.synopsis = "ID [SIZE]",
	.summary = "Print the size of a VM's balloon and the guest's memory statistics, or set the "
		   "size: 512M, 1G, 0",
	.min_args = 1,
	.max_args = 2,
	.of_vm = true,
	.run = balloon,
};
