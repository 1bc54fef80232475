/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of inodes by itself: what must be so after any sequence of operations, and how much it takes. */
#include "devices/fs/fs_node.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/base.h"
#include "devices/fs/fs_bind.h"

static struct fs_nodes nodes;

static struct fs_found found(uint64_t ino, uint32_t type, bool open_it)
{
	return (struct fs_found){
		.fd = open_it ? open("/dev/null", O_PATH | O_CLOEXEC) : -1,
		.quick = true,
		.stat = {.mnt = 1, .attr = {.ino = ino, .mode = type | 0644}},
	};
}

static struct fs_node *root(uint32_t fds_max)
{
	struct fs_found f = found(1, S_IFDIR, true);
	struct err err;

	cr_assert_eq(fs_nodes_init(&nodes, fds_max, &f, &err), 0);
	return fs_node_get(&nodes, 1);
}

/* ---- invariants ---------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Names form a tree whose counts are right, and each can be found by its name */
static void check_names(const struct fs_node *n, uint32_t *kids)
{
	char name[NAME_MAX + 1];
	unsigned int depth = 0;

	if (n->parent == 0)
		return;
	name[fs_label_text(&nodes.labels, n->label, name)] = '\0';
	cr_assert_eq(fs_bind_find(&nodes, fs_table_node(&nodes, n->parent), name), n);
	kids[n->parent]++;
	for (const struct fs_node *at = n; at; at = fs_table_node(&nodes, at->parent))
		cr_assert(depth++ < 10000 && at->type != 0, "a circle, or a parent that is gone");
}

static void check(void)
{
	static uint32_t kids[4096];
	uint32_t fds = 0, alone = 0, idle = 0, listed = 0, known = 0;

	memset(kids, 0, sizeof(kids));
	cr_assert_lt(nodes.fresh, ARRAY_SIZE(kids));
	for (uint32_t i = 0; i < nodes.fresh; i++) {
		const struct fs_node *n = &nodes.node[i];

		if (n->type == 0)
			continue;
		known++;
		fds += n->fd >= 0;
		alone += n->fd >= 0 && n->parent == 0 && i > 0;
		idle += n->idle;
		cr_assert_eq(n->idle, n->fd >= 0 && n->parent != 0 && n->busy == 0);
		check_names(n, kids);
	}
	for (uint32_t i = 0; i < nodes.fresh; i++)
		cr_assert(nodes.node[i].type == 0 || nodes.node[i].kids == kids[i + 1]);
	for (uint32_t at = nodes.oldest; at; at = nodes.node[at - 1].newer)
		listed++;
	cr_assert_eq(known, nodes.known);
	cr_assert_eq(fds, nodes.fds, "%u %u closing %u", fds, nodes.fds, nodes.closing);
	cr_assert_eq(alone, nodes.alone);
	cr_assert(idle == listed && fds <= nodes.fds_max);
}

#define SOME 64U

static void close_all(void)
{
	struct fs_node *n;

	while ((n = fs_node_closing(&nodes))) {
		close(n->fd);
		fs_node_closed(&nodes, n);
	}
}

/* One random step with nodes that the guest knows; @id has their numbers, 0: none */
static void step(uint64_t *id)
{
	const uint32_t i = any(SOME), j = any(SOME);
	struct fs_node *n = fs_node_get(&nodes, id[i]), *dir = fs_node_get(&nodes, id[j]);
	struct fs_found f = found(100 + i, S_IFDIR, any(4) > 0);
	char name[200] = "";

	if (!dir)
		dir = fs_node_get(&nodes, 1);
	memset(name, 'a' + (int)any(4), 1 + any(150));
	fs_node_hold(&nodes, dir);
	switch (any(5)) {
	case 0:
		if (n)
			fs_node_forget(&nodes, n, 1);
		break;
	case 1:
		fs_node_hold(&nodes, n);
		if (n && any(2))
			(void)fs_node_name(&nodes, n, dir, name);
		else if (n)
			(void)fs_node_name(&nodes, n, NULL, NULL);
		fs_node_put(&nodes, n);
		break;
	default:
		n = fs_node_adopt(&nodes, any(8) ? dir : NULL, name, &f);
		cr_assert(n);
		id[i] = fs_node_id(&nodes, n);
		f.fd = -1;
	}
	if (f.fd >= 0)
		close(f.fd);
	fs_node_put(&nodes, dir);
	close_all();
}

Test(fs_node, stays_whole_whatever_happens)
{
	for (unsigned int round = 0; round < 12; round++) {
		uint64_t id[SOME] = {0};

		seed = round;
		(void)root(12);
		for (unsigned int n = 0; n < 500; n++) {
			step(id);
			check();
		}
		fs_nodes_forget(&nodes);
		close_all();
		check();
		cr_assert_eq(nodes.known, 1, "the root");
		cr_assert_eq(nodes.labels.left, nodes.labels.max, "names without nodes");
		fs_nodes_done(&nodes);
	}
}

/* A path may be as deep as it likes, and is taken down without recursion. */
Test(fs_node, a_deep_tree_goes_from_its_end)
{
	struct fs_node *dir = root(100);
	uint64_t first = 0, id = 0;
	char path[PATH_MAX];
	struct fs_node *end;

	for (uint64_t i = 0; i < 500000; i++) {
		struct fs_found f = found(2 + i, S_IFDIR, false);
		struct fs_node *n = fs_node_adopt(&nodes, dir, "d", &f);

		if (i > 0)
			fs_node_forget(&nodes, dir, 1);
		else
			first = fs_node_id(&nodes, n);
		dir = n;
		id = fs_node_id(&nodes, n);
	}
	cr_assert_null(fs_node_get(&nodes, first), "forgotten");
	cr_assert_eq(nodes.known, 500001, "and yet there");
	cr_assert_null(fs_bind_path(&nodes, dir, &end, path), "too deep");
	fs_node_forget(&nodes, fs_node_get(&nodes, id), 1);
	cr_assert_eq(nodes.known, 1);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static uint64_t anonymous_bytes(const char *pid)
{
	char path[64], line[128];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	f = fopen(path, "r");
	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss_Anon: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

/* Counts lookups of other inodes, with names that differ, until the table refuses one: how many */
static uint64_t fill(struct fs_node *dir, size_t name_bytes, uint64_t max)
{
	for (uint64_t i = 0; i < max; i++) {
		struct fs_found f = found(2 + i, S_IFREG, false);
		char name[256];

		snprintf(name, sizeof(name), "%0*lu", (int)name_bytes, (unsigned long)i);
		if (!fs_node_adopt(&nodes, dir, name, &f))
			return i;
	}
	return max;
}

Test(fs_node, ten_million_lookups_end_in_an_error)
{
	struct fs_node *dir = root(100);

	fs_node_hold(&nodes, dir);
	cr_assert_eq(fill(dir, 20, 10000000), FS_NODES_MAX - 1);
	cr_assert_lt(anonymous_bytes("self"), 180U << 20);
	cr_assert_eq(nodes.known, FS_NODES_MAX);
	fs_nodes_forget(&nodes);
	cr_assert_eq(nodes.known, 1);
	/* Long names end it earlier, and leave nothing behind. */
	cr_assert_eq(fill(dir, 250, 10000000), 2 * FS_NODES_MAX / 9);
	cr_assert_eq(nodes.known, 2 * FS_NODES_MAX / 9 + 1);
	cr_assert_lt(anonymous_bytes("self"), 180U << 20);
}
