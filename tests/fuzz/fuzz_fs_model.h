/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the guest of fuzz_fs_ops.c knows: the numbers that it was given, and what must hold of them
 */
#ifndef VMRUN_TESTS_FUZZ_FUZZ_FS_MODEL_H
#define VMRUN_TESTS_FUZZ_FUZZ_FS_MODEL_H

#include "tests/fuzz/fuzz_fs.h"

#define NODES 16U
#define FILES 8U
#define GONE  16U

/**
 * struct model - What the guest knows
 * @exact:	No answer was lost, and nothing overtook
 * @known.sure: Its lookups are known
 * @known.listed: It came with the names of a directory: the device may know it by its name alone
 * @few:	The process has few fds: one that the device knows by its name alone cannot be opened
 * @host:	The host has changed names, so that what is known by name may be lost
 */
struct model {
	struct fuzz_input in;
	struct known {
		uint64_t id, lookups, ino;
		bool sure, listed;
	} node[NODES];
	struct opened {
		uint64_t fh;
		bool dir, sure;
	} file[FILES];
	uint64_t gone[GONE], gone_ino[GONE], closed[FILES];
	unsigned int nr_gone, nr_closed, together;
	unsigned int nr_unnamed; /* inodes that may have lost their names, at most */
	uint32_t room;
	bool ready, exact, host, few;
};

static inline struct known *known(struct model *m, uint64_t id)
{
	for (unsigned int i = 0; i < NODES; i++)
		if (m->node[i].id == id && id != 0)
			return &m->node[i];
	return NULL;
}

static inline void lose(struct model *m, struct known *k)
{
	if (k->sure) {
		m->gone[m->nr_gone % GONE] = k->id;
		m->gone_ino[m->nr_gone++ % GONE] = k->ino;
	}
	*k = (struct known){0};
}

static inline void lose_file(struct model *m, struct opened *o)
{
	if (o->sure)
		m->closed[m->nr_closed++ % FILES] = o->fh;
	*o = (struct opened){0};
}

static inline void forgotten(struct model *m, uint64_t id, uint64_t times)
{
	struct known *k = known(m, id);

	if (!k || k == &m->node[0])
		return;
	if (m->together > 0)
		k->sure = false;
	k->lookups -= times < k->lookups ? times : k->lookups;
	if (k->lookups == 0)
		lose(m, k);
}

static inline void learn(struct model *m, uint64_t id, const struct fuse_attr *a, bool listed)
{
	struct known *k = known(m, id), *room = NULL;

	vr_assert(id != 0 && a->ino != fuzz_fs.outside.st_ino && a->ino != fuzz_fs.secret.st_ino);
	for (unsigned int i = 0; i < NODES; i++) {
		struct known *other = &m->node[i];

		/* While it is open it is the same again */
		if (id == m->gone[i]) {
			vr_assert(!m->exact || m->gone_ino[i] == a->ino);
			m->gone[i] = 0;
		}
		if (other->id == 0)
			room = other;
		else if (other != k && other->sure && m->exact && !(other->listed && m->host))
			vr_assert(other->ino != a->ino);
	}
	vr_assert(!k || !k->sure || k->ino == a->ino);
	if (k) {
		k->lookups++;
		k->sure = k->sure && m->together == 0;
		return;
	}
	m->exact = m->exact && room; /* one that the guest will not forget */
	if (room)
		*room = (struct known){id, 1, a->ino, m->together == 0, listed};
}

static inline void learn_entry(struct model *m, const uint8_t *body, bool listed)
{
	struct fuse_entry_out e;

	memcpy(&e, body, sizeof(e));
	learn(m, e.nodeid, &e.attr, listed);
}

static inline void learn_file(struct model *m, const uint8_t *body, bool dir)
{
	struct fuse_open_out out;
	struct opened *room = NULL;

	memcpy(&out, body, sizeof(out));
	vr_assert(out.fh != 0);
	for (unsigned int i = 0; i < FILES; i++) {
		vr_assert(out.fh != m->file[i].fh && out.fh != m->closed[i]);
		if (m->file[i].fh == 0)
			room = &m->file[i];
	}
	if (room)
		*room = (struct opened){out.fh, dir, m->together == 0};
}

/* Names that a directory's reader got, and with plus inodes */
static inline void learn_names(struct model *m, const struct fuzz_fs_reply *r, bool plus)
{
	const size_t before = plus ? sizeof(struct fuse_entry_out) : 0;
	uint32_t at = 0;

	while (at < r->bytes) {
		struct fuse_dirent d;
		const uint8_t *name = r->body + at + before + FUSE_NAME_OFFSET;
		uint64_t id;

		vr_assert(r->bytes - at >= before + FUSE_NAME_OFFSET);
		memcpy(&d, r->body + at + before, FUSE_NAME_OFFSET);
		vr_assert(d.namelen > 0 && d.namelen <= NAME_MAX);
		vr_assert(r->bytes - at >=
			  FUSE_DIRENT_ALIGN(before + FUSE_NAME_OFFSET + d.namelen));
		vr_assert(!memchr(name, '/', d.namelen) && !memchr(name, 0, d.namelen));
		memcpy(&id, r->body + at, sizeof(id));
		if (plus && id != 0) {
			vr_assert(d.namelen > 2 || memcmp(name, "..", d.namelen) != 0);
			learn_entry(m, r->body + at, true);
		}
		at += (uint32_t)FUSE_DIRENT_ALIGN(before + FUSE_NAME_OFFSET + d.namelen);
	}
	vr_assert(at == r->bytes);
}

static inline void learn_reply(struct model *m, const struct fuzz_fs_reply *r)
{
	if (r->error == -EINVAL || r->error == -EIO || r->error == -ENFILE)
		m->exact = false; /* perhaps only the answer had no room */
	if (r->error != 0 || r->bytes == 0)
		return;
	switch (r->opcode) {
	case FUSE_LOOKUP:
	case FUSE_SYMLINK:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_LINK: learn_entry(m, r->body, false); break;
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		learn_entry(m, r->body, false);
		learn_file(m, r->body + sizeof(struct fuse_entry_out), false);
		break;
	case FUSE_OPEN: learn_file(m, r->body, false); break;
	case FUSE_OPENDIR: learn_file(m, r->body, true); break;
	case FUSE_READDIR: learn_names(m, r, false); break;
	case FUSE_READDIRPLUS: learn_names(m, r, true); break;
	default: break;
	}
}

#endif
