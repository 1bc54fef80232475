/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A guest's operations on a small tree, with a host that changes it meanwhile
 *
 * The first byte is the kind of device (fuzz_fs_kinds), with 16 also indirect descriptors; the second the flags
 * that the guest offers, 8 of each kind. Then steps of a byte and arguments. A node is a byte: below 16 one that
 * the guest has, the first of them the root; below 32 one that it has forgotten; else a forged number. An open
 * file is a byte likewise, below 8 and 16. A name is a byte (names[]).
 *
 *   0  request   opcode u8, node u8, then as request_args() says
 *   1  room      u8: of the next answer
 *   2  forget    node u8, times u8
 *   3  forget    several at once: count u8, (node u8, times u8) each
 *   4  together  count u8: so many of the next steps 0 and 2 go at once
 *   5  host      what u8, name u8, name u8
 *   6  fds       u8: of which the process has few from now on
 *   7  mount     u8: even FUSE_INIT, odd FUSE_DESTROY first
 *   8  file      u8: is it still open?
 *   9  node      u8: is it still known?
 *
 * A number means the same inode or file until the guest has forgotten or released it, and none afterwards; names in
 * answers are names; nothing outside the tree is found. fuzz_fs.h has what holds of each answer and at the end.
 * Covers: devices/fs
 */
#include <stdio.h>

#include "tests/fuzz/fuzz_fs_model.h"

#define STEPS	   300U
#define WITH_TABLE 16U

static char long_name[256], too_long_name[257];

static const char *const names[] = {
	"f",
	"l",
	"d",
	"g",
	"s",
	"p",
	"n1",
	"n2",
	"n3",
	"\xff\xfe\n",
	long_name,
	/* from here on none may be taken */
	too_long_name,
	"",
	".",
	"..",
	"a/b",
	"/",
	"../outside",
	"d/../../outside/secret",
};
#define NAMES_GOOD 11U

/* ---- what the input asks for ---- */

static uint64_t get_node(struct model *m)
{
	const unsigned int i = fuzz_get8(&m->in);

	if (i < NODES)
		return m->node[i].id;
	return i < NODES + GONE ? m->gone[i - NODES] : (uint64_t)(i >> 4) << 32 | (i & 15);
}

static uint64_t get_file(struct model *m)
{
	const unsigned int i = fuzz_get8(&m->in);

	if (i < FILES)
		return m->file[i].fh;
	return i < 2 * FILES ? m->closed[i - FILES] : (uint64_t)(i >> 4) << 32 | (i & 15);
}

static const char *get_name(struct model *m)
{
	return names[fuzz_get8(&m->in) % ARRAY_SIZE(names)];
}

/* An offset or size: small, or at one end of what there is */
static uint64_t get_number(struct model *m)
{
	const unsigned int how = fuzz_get8(&m->in);
	const uint64_t n = fuzz_get16(&m->in);

	switch (how % 5) {
	case 0: return n;
	case 1: return n << 4;
	case 2: return (uint64_t)INT64_MAX - n;
	case 3: return (uint64_t)0 - n;
	default: return n << (how % 48);
	}
}

/* A request in the making */
struct draft {
	uint8_t bytes[0x1000];
	size_t len;
};

static void add(struct draft *d, const void *what, size_t bytes)
{
	vr_assert(bytes <= sizeof(d->bytes) - d->len);
	memcpy(d->bytes + d->len, what, bytes);
	d->len += bytes;
}

static void add64(struct draft *d, uint64_t v)
{
	add(d, &v, sizeof(v));
}

static void add32(struct draft *d, uint64_t v)
{
	uint32_t low = (uint32_t)v;

	add(d, &low, sizeof(low));
}

static void add_name(struct model *m, struct draft *d)
{
	const char *name = get_name(m);

	add(d, name, strlen(name) + 1);
}

static void add_mode(struct model *m, struct draft *d)
{
	static const uint32_t types[] = {S_IFREG,  S_IFIFO, S_IFCHR, S_IFBLK,
					 S_IFSOCK, S_IFDIR, 0,	     ~0U};
	const unsigned int how = fuzz_get8(&m->in);

	add32(d, types[how & 7] | (uint32_t)(how << 4 & 07777));
}

static void add_setattr(struct model *m, struct draft *d)
{
	struct fuse_setattr_in in = {.valid = fuzz_get16(&m->in)};

	in.fh = get_file(m);
	in.size = get_number(m);
	in.mtime = in.atime = get_number(m);
	in.mode = fuzz_get16(&m->in);
	in.uid = in.gid = fuzz_get8(&m->in);
	add(d, &in, sizeof(in));
}

static void add_write(struct model *m, struct draft *d)
{
	static const uint8_t data[1000];
	struct fuse_write_in in = {.fh = get_file(m)};

	in.offset = get_number(m);
	in.size = fuzz_get8(&m->in) * 4U;
	add(d, &in, sizeof(in));
	add(d, data, in.size < sizeof(data) ? in.size : sizeof(data));
}

static void add_read(struct model *m, struct draft *d)
{
	struct fuse_read_in in = {.fh = get_file(m)};

	in.offset = get_number(m);
	in.size = fuzz_get16(&m->in);
	add(d, &in, sizeof(in));
}

static void add_xattr(struct model *m, struct draft *d, bool set)
{
	static const char *const attributes[] = {"user.x",
						 "user.",
						 "security.capability",
						 "trusted.x",
						 "system.posix_acl_access",
						 "system.posix_acl_default",
						 "",
						 "security.selinux"};
	const char *name = attributes[fuzz_get8(&m->in) % ARRAY_SIZE(attributes)];
	const unsigned int size = fuzz_get8(&m->in);

	if (set || size != 255)
		add64(d, size);
	add(d, name, strlen(name) + 1);
	if (set)
		add(d, names[10], size < 200 ? size : 200);
}

static void add_copy(struct model *m, struct draft *d)
{
	add64(d, get_file(m));
	add64(d, get_number(m));
	add64(d, get_node(m));
	add64(d, get_file(m));
	add64(d, get_number(m));
	add64(d, get_number(m));
	add64(d, 0);
}

static void add_lock(struct model *m, struct draft *d)
{
	struct fuse_lk_in in = {.fh = get_file(m), .owner = fuzz_get8(&m->in) % 4};

	in.lk.start = get_number(m);
	in.lk.end = get_number(m);
	in.lk.type = fuzz_get8(&m->in) % 4;
	in.lk_flags = fuzz_get8(&m->in) % 2;
	add(d, &in, sizeof(in));
}

static void add_numbers(struct model *m, struct draft *d, unsigned int nr)
{
	while (nr-- > 0)
		add64(d, get_number(m));
}

/* Arguments of an operation: names and numbers in FUSE's order, each from the input */
static void request_args(struct model *m, struct draft *d, uint32_t opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
	case FUSE_UNLINK:
	case FUSE_RMDIR: add_name(m, d); break;
	case FUSE_SYMLINK: add_name(m, d), add_name(m, d); break;
	case FUSE_MKNOD:
		add_mode(m, d);
		add32(d, fuzz_get8(&m->in));
		add64(d, 022);
		add_name(m, d);
		break;
	case FUSE_MKDIR: add_mode(m, d), add32(d, 022), add_name(m, d); break;
	case FUSE_RENAME: add64(d, get_node(m)), add_name(m, d), add_name(m, d); break;
	case FUSE_RENAME2:
		add64(d, get_node(m));
		add64(d, fuzz_get8(&m->in));
		add_name(m, d);
		add_name(m, d);
		break;
	case FUSE_LINK: add64(d, get_node(m)), add_name(m, d); break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		add64(d, (uint64_t)fuzz_get16(&m->in) << (fuzz_get8(&m->in) % 10));
		break;
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		add32(d, (uint64_t)fuzz_get16(&m->in) << (fuzz_get8(&m->in) % 10));
		add_mode(m, d);
		add64(d, 022);
		add_name(m, d);
		break;
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS: add_read(m, d), add64(d, 0), add64(d, 0); break;
	case FUSE_WRITE: add_write(m, d); break;
	case FUSE_SETATTR: add_setattr(m, d); break;
	case FUSE_SETXATTR: add_xattr(m, d, true); break;
	case FUSE_GETXATTR:
	case FUSE_REMOVEXATTR: add_xattr(m, d, false); break;
	case FUSE_LISTXATTR: add64(d, fuzz_get8(&m->in)); break;
	case FUSE_COPY_FILE_RANGE: add_copy(m, d); break;
	case FUSE_FALLOCATE:
		add64(d, get_file(m)), add_numbers(m, d, 2), add64(d, fuzz_get8(&m->in));
		break;
	case FUSE_LSEEK:
		add64(d, get_file(m)), add_numbers(m, d, 1), add64(d, fuzz_get8(&m->in) % 6);
		break;
	case FUSE_GETATTR: add64(d, fuzz_get8(&m->in)), add64(d, get_file(m)); break;
	case FUSE_GETLK:
	case FUSE_SETLK:
	case FUSE_SETLKW: add_lock(m, d); break;
	case FUSE_READLINK:
	case FUSE_STATFS: break;
	default: add64(d, get_file(m)), add_numbers(m, d, 3); break; /* release, flush, fsync ... */
	}
}

/* ---- steps ---- */

static void send_draft(struct model *m, uint32_t opcode, uint64_t node, const struct draft *d)
{
	const uint64_t at = fuzz_fs.unique % FUZZ_FS_BATCH * 0x1000;
	struct fuzz_fs_reply r;

	memcpy(vqd_at(&fuzz_fs.ram, FUZZ_FS_IN + at, 0x1000), d->bytes, d->len);
	fuzz_fs_header(at, opcode, node, (uint32_t)d->len);
	vr_assert(fuzz_fs_put(1, at, (uint32_t)d->len, m->room, NULL, 0));
	m->room = FUZZ_FS_OUT_EACH - 0x1000;
	if (m->together > 0)
		return;
	fuzz_fs_go(1);
	vr_assert(!fuzz_fs.d->vq[1].broken && fuzz_fs_take(1, &r));
	learn_reply(m, &r);
}

static void step_request(struct model *m)
{
	const uint32_t opcode = fuzz_get8(&m->in) % 56;
	const uint64_t node = get_node(m);
	struct draft d = {.len = sizeof(struct fuse_in_header)};

	/* These have steps of their own. */
	if (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET || opcode == FUSE_INIT ||
	    opcode == FUSE_DESTROY)
		return;
	m->nr_unnamed += opcode == FUSE_UNLINK || opcode == FUSE_RMDIR || opcode == FUSE_TMPFILE;
	m->nr_unnamed += 2 * (opcode == FUSE_RENAME || opcode == FUSE_RENAME2);
	request_args(m, &d, opcode);
	if (opcode == FUSE_RELEASE || opcode == FUSE_RELEASEDIR) {
		uint64_t fh;

		memcpy(&fh, d.bytes + sizeof(struct fuse_in_header), sizeof(fh));
		for (unsigned int i = 0; i < FILES; i++) {
			struct opened *o = &m->file[i];

			/* With a wrong inode the device may refuse it. */
			if (o->fh != fh || fh == 0)
				continue;
			o->sure = o->sure && known(m, node) && known(m, node)->sure && m->ready &&
				  o->dir == (opcode == FUSE_RELEASEDIR) && m->together == 0;
			lose_file(m, o);
		}
	}
	send_draft(m, opcode, node, &d);
}

static void step_forget(struct model *m, unsigned int nr)
{
	struct draft d = {.len = sizeof(struct fuse_in_header)};
	uint64_t first = 0;

	if (nr > 1)
		add64(&d, nr);
	for (unsigned int i = 0; i < nr; i++) {
		const uint64_t id = get_node(m), times = fuzz_get8(&m->in);

		if (nr > 1)
			add64(&d, id);
		first = id;
		add64(&d, times);
		if (m->ready)
			forgotten(m, id, times);
	}
	send_draft(m, nr > 1 ? FUSE_BATCH_FORGET : FUSE_FORGET, first, &d);
}

static void step_together(struct model *m)
{
	struct fuzz_fs_reply r;
	unsigned int nr = fuzz_get8(&m->in) % FUZZ_FS_BATCH;

	m->exact = false;
	for (m->together = 1; nr > 0; nr--) {
		if (fuzz_get8(&m->in) % 3 == 2)
			step_forget(m, 1);
		else
			step_request(m);
	}
	fuzz_fs_go(1);
	while (fuzz_fs_take(1, &r))
		learn_reply(m, &r);
	m->together = 0;
}

static void step_host(struct model *m)
{
	const unsigned int what = fuzz_get8(&m->in) % 8;
	const char *a = names[fuzz_get8(&m->in) % NAMES_GOOD],
		   *b = names[fuzz_get8(&m->in) % NAMES_GOOD];
	const int at = BOOT_FD_RES;
	int fd;

	m->host = true;
	switch (what) {
	case 0: (void)renameat(at, a, at, b); break;
	case 1: (void)unlinkat(at, a, 0); break;
	case 2: (void)unlinkat(at, a, AT_REMOVEDIR); break;
	case 3:
		fd = openat(at, a, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
		break;
	case 4: (void)mkdirat(at, a, 0700); break;
	case 5: fd = symlinkat("../outside", at, a); break;
	case 6: (void)renameat(at, a, fuzz_fs.base, "elsewhere/moved"); break;
	case 7: (void)renameat(fuzz_fs.base, "elsewhere/moved", at, a); break;
	}
}

static void step_fds(struct model *m)
{
	const struct rlimit few = {48 + fuzz_get8(&m->in) % 64U, FS_FDS_MIN};

	vr_assert(setrlimit(RLIMIT_NOFILE, &few) == 0);
	m->few = true;
}

static void step_mount(struct model *m)
{
	for (unsigned int i = 0; i < NODES; i++) {
		m->node[i].sure = m->node[i].sure && i > 0;
		if (i > 0)
			lose(m, &m->node[i]);
	}
	m->node[0].sure = true;
	for (unsigned int i = 0; i < FILES; i++)
		lose_file(m, &m->file[i]);
	if (fuzz_get8(&m->in) % 2) {
		vr_assert(fuzz_fs_ask(FUSE_DESTROY, 0, NULL, 0, NULL).error == 0);
		m->ready = false;
	} else {
		fuzz_fs_hello(UINT32_MAX);
		m->ready = true;
	}
	m->exact = true;
}

static void probe_file(struct model *m, const struct opened *o)
{
	const struct fuse_flush_in in = {.fh = o->fh};
	int error;

	if (!m->ready || !o->sure)
		return;
	error = fuzz_fs_ask(o->dir ? FUSE_FSYNCDIR : FUSE_FLUSH, FUSE_ROOT_ID, &in,
			    o->dir ? sizeof(struct fuse_fsync_in) : sizeof(in), NULL)
			.error;
	vr_assert(error != -EBADF && error != -ESTALE);
}

/* Whether a number means an inode, @is or not; @may_be_lost: or is that of one whose name has gone */
static void probe_node(struct model *m, uint64_t id, bool sure, bool is, bool may_be_lost)
{
	const struct fuse_getattr_in in = {0};
	int error;

	if (!m->ready || !sure || id == 0)
		return;
	error = fuzz_fs_ask(FUSE_GETATTR, id, &in, sizeof(in), NULL).error;
	if (m->few && error == -EMFILE)
		return;
	vr_assert(is ? error == 0 || (may_be_lost && error == -ESTALE) : error == -ESTALE);
}

static void probe_known(struct model *m, const struct known *k)
{
	/* A third of the fds is for those that have no name. */
	const bool few = fuzz_fs_few() && (m->host || m->nr_unnamed > FUZZ_FS_FEW / 3);

	probe_node(m, k->id, k->sure, true, few || (k->listed && m->host));
}

static void step(struct model *m)
{
	unsigned int i;

	switch (fuzz_get8(&m->in) % 10) {
	case 0: step_request(m); break;
	case 1: m->room = fuzz_get8(&m->in); break;
	case 2: step_forget(m, 1); break;
	case 3: step_forget(m, 2 + fuzz_get8(&m->in) % 8); break;
	case 4: step_together(m); break;
	case 5: step_host(m); break;
	case 6: step_fds(m); break;
	case 7: step_mount(m); break;
	case 8: probe_file(m, &m->file[fuzz_get8(&m->in) % FILES]); break;
	case 9:
		i = fuzz_get8(&m->in) % NODES;
		probe_known(m, &m->node[i]);
		probe_node(m, m->gone[i % GONE], m->exact, false, false);
		break;
	}
}

static void probe_all(struct model *m)
{
	for (unsigned int i = 0; i < NODES; i++)
		probe_known(m, &m->node[i]);
	for (unsigned int i = 0; i < GONE; i++)
		probe_node(m, m->gone[i], m->exact, false, false);
	for (unsigned int i = 0; i < FILES; i++)
		probe_file(m, &m->file[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m;
	unsigned int with;

	m = (struct model){.in = {data, size}, .exact = true, .ready = true};
	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(too_long_name, 'n', sizeof(too_long_name) - 1);
	with = fuzz_get8(&m.in);
	fuzz_fs_start(with, with & WITH_TABLE ? VQD_F_INDIRECT : 0);
	fuzz_fs_hello(fuzz_get8(&m.in) * 0x01010101U);
	m.node[0] = (struct known){FUSE_ROOT_ID, 1, 0, true, false};
	m.room = FUZZ_FS_OUT_EACH - 0x1000;
	for (unsigned int i = 0; i < STEPS && m.in.left > 0; i++)
		step(&m);
	vr_assert(setrlimit(RLIMIT_NOFILE, &(struct rlimit){FS_FDS_MIN, FS_FDS_MIN}) == 0);
	m.few = false;
	probe_all(&m);
	fuzz_fs_end();
	return 0;
}
