/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One request to the fs device: header, arguments and names of any bytes, cut anywhere into descriptors
 *
 * The first byte says what there is before it: bits 0 and 1 the kind of device (fuzz_fs_kinds), 2 FUSE_INIT,
 * 4 inodes and open files, 8 indirect descriptors. The second is the ring (1 bit), the third how many cuts follow;
 * each is a u16, the length of a buffer. Then room u16 for the answer's body, and the request, its header
 * first. The device runs in this process (fuzz_fs.h).
 *
 * A nodeid of the header from 0x10 to 0x1f means one that was given before: f, d, s, p in turn. So does the first
 * number of the arguments of a rename or link, and 0x10 or 0x11 there the open file or directory of others.
 * Covers: devices/fs
 */
#define FUZZ_FS_MORE FS_SECURITY_CTX

#include "tests/fuzz/fuzz_fs.h"

#define WITH_INIT     4
#define WITH_FILES    8
#define WITH_INDIRECT 16
#define GIVEN	      0x10
#define CUTS	      60
#define ROOM_MAX      0x7ff0

struct given {
	uint64_t node[4], file, dir;
};

static uint64_t look_up(const char *name)
{
	struct fuzz_fs_reply r = fuzz_fs_ask(FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, name);
	uint64_t id;

	vr_assert(r.error == 0);
	memcpy(&id, r.body, sizeof(id));
	return id;
}

static uint64_t open_it(uint32_t opcode, uint64_t node)
{
	const struct fuse_open_in in = {.flags = O_RDONLY};
	struct fuzz_fs_reply r = fuzz_fs_ask(opcode, node, &in, sizeof(in), NULL);
	uint64_t fh;

	vr_assert(r.error == 0);
	memcpy(&fh, r.body, sizeof(fh));
	return fh;
}

static void give(struct given *g)
{
	static const char *const name[] = {"f", "d", "s", "p"};

	for (unsigned int i = 0; i < ARRAY_SIZE(name); i++)
		g->node[i] = look_up(name[i]);
	g->file = open_it(FUSE_OPEN, g->node[0]);
	g->dir = open_it(FUSE_OPENDIR, g->node[1]);
}

/* Puts a number that was given where the input has a place of one */
static void translate(const struct given *g, uint8_t *request, uint32_t bytes)
{
	struct fuse_in_header in;
	uint64_t first;

	memcpy(&in, request, sizeof(in));
	in.unique = fuzz_fs.unique + 1;
	if (in.nodeid / GIVEN == 1)
		in.nodeid = g->node[in.nodeid % 4];
	memcpy(request, &in, sizeof(in));
	if (bytes < sizeof(in) + sizeof(first))
		return;
	memcpy(&first, request + sizeof(in), sizeof(first));
	if (first / GIVEN != 1)
		return;
	if (in.opcode == FUSE_RENAME || in.opcode == FUSE_RENAME2 || in.opcode == FUSE_LINK)
		first = g->node[first % 4];
	else
		first = first % 2 ? g->dir : g->file;
	memcpy(request + sizeof(in), &first, sizeof(first));
}

static void request(const struct given *g, struct fuzz_input *in)
{
	const unsigned int q = fuzz_get8(in) & 1, nr = fuzz_get8(in) % (CUTS + 1);
	uint8_t *at = vqd_at(&fuzz_fs.ram, FUZZ_FS_IN, 0x20000);
	struct fuzz_fs_reply r;
	uint16_t cut[CUTS];
	uint32_t room, bytes;

	for (unsigned int i = 0; i < nr; i++)
		cut[i] = fuzz_get16(in);
	room = fuzz_get16(in) % ROOM_MAX;
	bytes = in->left < 0x18000 ? (uint32_t)in->left : 0x18000;
	/* Shorter ones have no number to compare the answer with: seen in the units. */
	if (bytes < sizeof(struct fuse_in_header))
		return;
	memcpy(at, in->at, bytes);
	translate(g, at, bytes);
	if (!fuzz_fs_put(q, 0, bytes, room, cut, nr))
		return;
	fuzz_fs_go(q);
	vr_assert(fuzz_fs_take(q, &r) || fuzz_fs.d->vq[q].broken);
	vr_assert(!fuzz_fs_take(q, &r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct given g = {{0}, 0, 0};
	const unsigned int with = fuzz_get8(&in);

	fuzz_fs_start(with, with & WITH_INDIRECT ? VQD_F_INDIRECT : 0);
	if (with & (WITH_INIT | WITH_FILES))
		fuzz_fs_hello(UINT32_MAX);
	if (with & WITH_FILES)
		give(&g);
	request(&g, &in);
	fuzz_fs_end();
	return 0;
}
