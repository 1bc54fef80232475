/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A FUSE client without a guest, on any vhost-user shared directory: how much it does per second
 *
 * Usage: shares SOCKET DIRS FILES LOAD...
 *
 * The share has DIRS directories d0, d1 ..., of FILES files f0, f1 ... each, an empty directory "new" and a file
 * "large" of LARGE_BYTES. The loads run in the order given, each prints its name and a number; the first of two
 * that differ by -cold and -warm alone finds a server that knows no inode yet. One client with one request at a
 * time, if the load does not say otherwise; requests and their buffers are as Linux' driver cuts them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "tests/support/vq_driver.h"
#include "tests/support/vu_peer.h"

#define SLOTS	    16U
#define RING_SIZE   1024
#define RING_GPA(q) (0x10000 + 0x10000 * (uint64_t)(q))
#define SLOT_GPA(s) (0x100000 + 0x8000 * (uint64_t)(s)) /* request, answer, table of descriptors */
#define OUT_OFF	    0x2000
#define TABLE_OFF   0x4000
#define DATA_GPA(s) (0x1000000 + 0x100000 * (uint64_t)(s)) /* pages of data */
#define MEM_BYTES   (48ULL << 20)
#define PAGE	    4096U
#define LARGE_BYTES (256ULL << 20)
#define BOUND_S	    120 /* of one load */

static struct vqd_mem mem;
static struct vqd ring[2]; /* of FORGET, of all others */
static int sock, kick[2], call[2];
static unsigned int slot_of[RING_SIZE];
static uint64_t unique;
static unsigned int nr_dirs, nr_files;
static bool flushes; /* the server wants a FLUSH at each close */
static uint64_t *dirs, *files;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	printf("shares: %s\n", what);
	exit(1);
}

/* ---- vhost-user ---------------------------------------------------------------------------- */

static uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v = 0;
	char c;

	vup_empty(sock, request, 0);
	need(recv(sock, &c, 1, MSG_PEEK) == 1 && vup_recv(sock, &m) && m.request == request,
	     "no answer of the back-end");
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static void start_ring(unsigned int q, uint64_t features)
{
	kick[q] = eventfd(0, 0);
	call[q] = eventfd(0, 0);
	vqd_init(&ring[q], &mem, RING_SIZE, RING_GPA(q), features);
	vup_state(sock, VUP_SET_VRING_NUM, 0, q, RING_SIZE);
	vup_state(sock, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(sock, 0, q, &ring[q]);
	vup_fd(sock, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, q, kick[q]);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, q, 1);
}

static void start(const char *path)
{
	static const struct vqd_piece piece = {0, MEM_BYTES};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t features;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(connect(sock, (struct sockaddr *)&a, sizeof(a)) == 0, "cannot connect");
	vqd_mem_init(&mem, &piece, 1);
	features = answer(VUP_GET_FEATURES);
	answer(VUP_GET_PROTOCOL_FEATURES);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, 0);
	vup_empty(sock, VUP_SET_OWNER, 0);
	/* VERSION_1, PROTOCOL_FEATURES */
	features &= 1ULL << 32 | 1ULL << 30 | VQD_F_INDIRECT | VQD_F_EVENT_IDX;
	vup_u64(sock, VUP_SET_FEATURES, 0, features);
	vup_mem_table(sock, 0, &mem);
	start_ring(0, features);
	start_ring(1, features);
}

/* ---- requests ------------------------------------------------------------------------------ */

/**
 * struct ask - A request
 * @args:	Behind the header, @bytes of it
 * @room:	For the answer behind its header
 * @data:	Bytes of pages behind the arguments (@writes), or of the answer
 */
struct ask {
	uint32_t opcode;
	uint64_t node;
	const void *args;
	uint32_t bytes, room, data;
	bool writes;
};

static unsigned int add_data(unsigned int slot, const struct ask *a, struct vqd_buf *buf)
{
	unsigned int n = 0;

	for (uint32_t at = 0; at < a->data; at += PAGE)
		buf[n++] = (struct vqd_buf){DATA_GPA(slot) + at, PAGE, !a->writes};
	return n;
}

static void submit(unsigned int slot, const struct ask *a)
{
	const unsigned int q = a->opcode != FUSE_FORGET;
	const uint64_t in = SLOT_GPA(slot), out = in + OUT_OFF;
	const struct fuse_in_header h = {.len = (uint32_t)sizeof(h) + a->bytes +
						(a->writes ? a->data : 0),
					 .opcode = a->opcode,
					 .unique = unique += 2,
					 .nodeid = a->node};
	struct vqd_buf buf[4 + (1U << 20) / PAGE];
	unsigned int n = 0;

	memcpy(vqd_at(&mem, in, sizeof(h)), &h, sizeof(h));
	memcpy(vqd_at(&mem, in + sizeof(h), a->bytes), a->args, a->bytes);
	buf[n++] = (struct vqd_buf){in, sizeof(h), false};
	if (a->bytes > 0)
		buf[n++] = (struct vqd_buf){in + sizeof(h), a->bytes, false};
	if (a->writes)
		n += add_data(slot, a, buf + n);
	if (q == 1)
		buf[n++] = (struct vqd_buf){out, sizeof(struct fuse_out_header), true};
	if (a->room > 0)
		buf[n++] = (struct vqd_buf){out + sizeof(struct fuse_out_header), a->room, true};
	if (!a->writes)
		n += add_data(slot, a, buf + n);
	slot_of[vqd_add_indirect(&ring[q], buf, n, in + TABLE_OFF)] = slot;
	if (vqd_must_kick(&ring[q]))
		eventfd_write(kick[q], 1);
}

/* Waits for an answer on ring @q: the slot of the request */
static unsigned int collect(unsigned int q)
{
	uint32_t head, len;
	eventfd_t calls;

	/* As a driver does: interrupts are off while there is something to take. */
	while (!vqd_take(&ring[q], &head, &len)) {
		vqd_want_signals(&ring[q], true);
		if (vqd_take(&ring[q], &head, &len))
			break;
		need(eventfd_read(call[q], &calls) == 0, "no interrupt");
	}
	return slot_of[head];
}

static int error_of(unsigned int slot)
{
	return ((struct fuse_out_header *)vqd_at(&mem, SLOT_GPA(slot) + OUT_OFF, 16))->error;
}

/* One request and its answer */
static const void *ask_any(const struct ask *a, int *ret_error)
{
	submit(0, a);
	collect(1);
	*ret_error = error_of(0);
	return vqd_at(&mem, SLOT_GPA(0) + OUT_OFF + sizeof(struct fuse_out_header), PAGE);
}

static const void *ask(uint32_t opcode, uint64_t node, const void *args, size_t bytes, size_t room)
{
	int error;
	const void *body = ask_any(
		&(struct ask){opcode, node, args, (uint32_t)bytes, (uint32_t)room, 0, false},
		&error);

	if (error != 0) {
		printf("shares: opcode %u: error %d\n", opcode, error);
		exit(1);
	}
	return body;
}

#define ASK(opcode, node, in, type)                                                                \
	((const struct type *)ask(opcode, node, &(in), sizeof(in), sizeof(struct type)))

static void hello(void)
{
	const struct fuse_init_in in = {.major = 7,
					.minor = 37,
					.max_readahead = 131072,
					.flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES |
						 FUSE_DO_READDIRPLUS | FUSE_PARALLEL_DIROPS |
						 FUSE_MAX_PAGES | FUSE_HANDLE_KILLPRIV_V2 |
						 FUSE_AUTO_INVAL_DATA | FUSE_READDIRPLUS_AUTO};

	ask(FUSE_INIT, 0, &in, sizeof(in), sizeof(struct fuse_init_out));
}

static uint64_t lookup(uint64_t dir, const char *name)
{
	return ((const struct fuse_entry_out *)ask(FUSE_LOOKUP, dir, name, strlen(name) + 1,
						   sizeof(struct fuse_entry_out)))
		->nodeid;
}

static void getattr(uint64_t node)
{
	const struct fuse_getattr_in in = {0};

	ASK(FUSE_GETATTR, node, in, fuse_attr_out);
}

static uint64_t open_node(uint32_t opcode, uint64_t node, uint32_t flags)
{
	const struct fuse_open_in in = {.flags = flags};
	const struct fuse_open_out *out = ASK(opcode, node, in, fuse_open_out);

	flushes = !(out->open_flags & FOPEN_NOFLUSH);
	return out->fh;
}

static void release(uint32_t opcode, uint64_t node, uint64_t fh)
{
	const struct fuse_release_in in = {.fh = fh};

	ask(opcode, node, &in, sizeof(in), 0);
}

static void close_node(uint64_t node, uint64_t fh)
{
	const struct fuse_flush_in in = {.fh = fh};

	if (flushes)
		ask(FUSE_FLUSH, node, &in, sizeof(in), 0);
	release(FUSE_RELEASE, node, fh);
}

static void submit_io(unsigned int slot, bool write, uint64_t node, uint64_t fh, uint64_t off,
		      uint32_t bytes)
{
	const struct fuse_read_in in = {.fh = fh, .offset = off, .size = bytes};
	const struct fuse_write_in out = {.fh = fh, .offset = off, .size = bytes};

	if (write)
		submit(slot, &(struct ask){FUSE_WRITE, node, &out, sizeof(out),
					   sizeof(struct fuse_write_out), bytes, true});
	else
		submit(slot, &(struct ask){FUSE_READ, node, &in, sizeof(in), 0, bytes, false});
}

/* ---- loads --------------------------------------------------------------------------------- */

static char *name_of(char kind, unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "%c%u", kind, i);
	return name;
}

/* What a storm of stat(2) asks for when the guest believes nothing */
static long load_stat(void)
{
	for (unsigned int d = 0; d < nr_dirs; d++) {
		dirs[d] = lookup(FUSE_ROOT_ID, name_of('d', d));
		for (unsigned int f = 0; f < nr_files; f++) {
			files[d * nr_files + f] = lookup(dirs[d], name_of('f', f));
			getattr(files[d * nr_files + f]);
		}
	}
	return nr_dirs * nr_files;
}

static long load_getattr(void)
{
	for (unsigned int i = 0; i < nr_dirs * nr_files; i++)
		getattr(files[i]);
	return nr_dirs * nr_files;
}

/* Reads one directory, as find(1) does, into those below: the number of entries */
static long walk(uint64_t dir)
{
	const uint64_t fh = open_node(FUSE_OPENDIR, dir, O_RDONLY | O_DIRECTORY);
	struct fuse_read_in in = {.fh = fh, .size = PAGE};
	static uint64_t below[1024];
	unsigned int nr = 0;
	long entries = 0;

	for (;;) {
		const uint8_t *at = ask(FUSE_READDIRPLUS, dir, &in, sizeof(in), PAGE);
		const uint8_t *end = at - sizeof(struct fuse_out_header) +
				     ((const struct fuse_out_header *)(const void *)at)[-1].len;

		if (at == end)
			break;
		while (at < end) {
			const struct fuse_direntplus *e = (const void *)at;

			if (e->dirent.name[0] != '.' && ++entries && e->dirent.type == DT_DIR &&
			    dir == FUSE_ROOT_ID)
				below[nr++] = e->entry_out.nodeid;
			in.offset = e->dirent.off;
			at += FUSE_DIRENTPLUS_SIZE(e);
		}
	}
	release(FUSE_RELEASEDIR, dir, fh);
	for (unsigned int i = 0; i < nr; i++)
		entries += walk(below[i]);
	return entries;
}

static long load_find(void)
{
	long entries = walk(FUSE_ROOT_ID);

	need(entries >= nr_dirs * nr_files, "find saw too little");
	return entries;
}

/* Opens, reads and closes each file */
static long load_open(void)
{
	for (unsigned int i = 0; i < nr_dirs * nr_files; i++) {
		const uint64_t fh = open_node(FUSE_OPEN, files[i], O_RDONLY);

		submit_io(0, false, files[i], fh, 0, PAGE);
		collect(1);
		need(error_of(0) == 0, "a read failed");
		close_node(files[i], fh);
	}
	return nr_dirs * nr_files;
}

static long load_xattr(void)
{
	struct {
		struct fuse_getxattr_in in;
		char name[20];
	} args = {{.size = 0}, "security.capability"};
	int error;

	for (unsigned int i = 0; i < nr_dirs * nr_files; i++)
		ask_any(&(struct ask){FUSE_GETXATTR, files[i], &args, sizeof(args),
				      sizeof(struct fuse_getxattr_out), 0, false},
			&error);
	return nr_dirs * nr_files;
}

/* As tar(1) unpacks a file for root */
static void create(uint64_t dir, const char *name)
{
	struct {
		struct fuse_create_in in;
		char name[16];
	} args = {.in = {.flags = O_WRONLY | O_EXCL, .mode = S_IFREG | 0600}};
	struct fuse_setattr_in set = {.valid = FATTR_UID | FATTR_GID, .uid = 1, .gid = 1};
	const struct fuse_entry_out *e;
	const struct fuse_open_out *o;
	uint64_t node, fh;
	int error;

	ask_any(&(struct ask){FUSE_LOOKUP, dir, name, (uint32_t)strlen(name) + 1, sizeof(*e), 0,
			      false},
		&error);
	strcpy(args.name, name);
	e = ask(FUSE_CREATE, dir, &args, sizeof(args.in) + strlen(name) + 1,
		sizeof(*e) + sizeof(*o));
	o = (const void *)(e + 1);
	node = e->nodeid;
	fh = o->fh;
	flushes = !(o->open_flags & FOPEN_NOFLUSH);
	submit_io(0, true, node, fh, 0, PAGE);
	collect(1);
	need(error_of(0) == 0, "a write failed");
	set.fh = fh;
	ASK(FUSE_SETATTR, node, set, fuse_attr_out);
	set.valid = FATTR_MODE;
	set.mode = S_IFREG | 0644;
	ASK(FUSE_SETATTR, node, set, fuse_attr_out);
	set.valid = FATTR_ATIME | FATTR_MTIME;
	ASK(FUSE_SETATTR, node, set, fuse_attr_out);
	close_node(node, fh);
}

static long load_create(void)
{
	const uint64_t dir = lookup(FUSE_ROOT_ID, "new");

	for (unsigned int i = 0; i < nr_dirs * nr_files; i++)
		create(dir, name_of('f', i));
	return nr_dirs * nr_files;
}

/* A driver does not wait for a FORGET, but for the one before if it needs its place */
static void forget(uint64_t node, uint64_t lookups)
{
	const struct fuse_forget_in in = {.nlookup = lookups};
	static bool before;

	if (before)
		collect(0);
	before = true;
	submit(SLOTS - 1, &(struct ask){FUSE_FORGET, node, &in, sizeof(in), 0, 0, false});
}

static long load_unlink(void)
{
	const uint64_t dir = lookup(FUSE_ROOT_ID, "new");

	for (unsigned int i = 0; i < nr_dirs * nr_files; i++) {
		const char *name = name_of('f', i);
		const uint64_t node = lookup(dir, name);

		ask(FUSE_UNLINK, dir, name, strlen(name) + 1, 0);
		forget(node, 2); /* created, and looked up here */
	}
	return nr_dirs * nr_files;
}

static long data(bool write, bool random, unsigned int depth, uint32_t bytes, long count)
{
	const uint64_t node = lookup(FUSE_ROOT_ID, "large"), pieces = LARGE_BYTES / bytes;
	const uint64_t fh = open_node(FUSE_OPEN, node, O_RDWR);
	unsigned int unused[SLOTS], nr = 0;
	long asked = 0, done = 0;
	uint64_t x = 1;

	for (unsigned int i = 0; i < depth; i++)
		unused[nr++] = i;
	for (; done < count; done++) {
		for (; nr > 0 && asked < count; asked++) {
			const uint64_t at = random ? x >> 20 : (uint64_t)asked;

			x = x * 6364136223846793005ULL + 1;
			submit_io(unused[--nr], write, node, fh, at % pieces * bytes, bytes);
		}
		unused[nr++] = collect(1);
		need(error_of(unused[nr - 1]) == 0, "a transfer failed");
	}
	close_node(node, fh);
	return count;
}

#define LARGE_MIB (long)(LARGE_BYTES >> 20)

static long load_read_1m_1(void)
{
	return data(false, false, 1, 1U << 20, 2 * LARGE_MIB);
}

static long load_read_1m_4(void)
{
	return data(false, false, 4, 1U << 20, 2 * LARGE_MIB);
}

static long load_write_1m_1(void)
{
	return data(true, false, 1, 1U << 20, 2 * LARGE_MIB);
}

static long load_write_1m_4(void)
{
	return data(true, false, 4, 1U << 20, 2 * LARGE_MIB);
}

static long load_read_4k_1(void)
{
	return data(false, true, 1, PAGE, 20000);
}

static long load_read_4k_16(void)
{
	return data(false, true, 16, PAGE, 60000);
}

/* One at a time, with pauses: what costs the server most is to wake up */
static long load_paced(void)
{
	for (unsigned int i = 0; i < 1000; i++) {
		getattr(files[i]);
		usleep(1000);
	}
	return 1000;
}

/* Says so, and goes on when there is a line to read or its standard input ends */
static long load_hold(void)
{
	char c;

	printf("hold\n");
	fflush(stdout);
	need(read(0, &c, 1) >= 0, "standard input");
	return 0;
}

static const struct {
	const char *name;
	long (*run)(void);
} loads[] = {
	{"stat-cold", load_stat},
	{"stat-warm", load_stat},
	{"getattr", load_getattr},
	{"find-cold", load_find},
	{"find-warm", load_find},
	{"open-read-close", load_open},
	{"getxattr", load_xattr},
	{"create", load_create},
	{"unlink", load_unlink},
	{"read-1m-depth-1", load_read_1m_1},
	{"read-1m-depth-4", load_read_1m_4},
	{"write-1m-depth-1", load_write_1m_1},
	{"write-1m-depth-4", load_write_1m_4},
	{"read-4k-depth-1", load_read_4k_1},
	{"read-4k-depth-16", load_read_4k_16},
	{"getattr-each-ms", load_paced},
	{"hold", load_hold},
};

static void run(const char *name)
{
	struct timespec from, to;
	unsigned int i = 0;
	long done;

	while (i < ARRAY_SIZE(loads) && strcmp(loads[i].name, name) != 0)
		i++;
	need(i < ARRAY_SIZE(loads), "no such load");
	alarm(BOUND_S);
	clock_gettime(CLOCK_MONOTONIC, &from);
	done = loads[i].run();
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (done > 0)
		printf("%s %.0f\n", name,
		       (double)done / ((double)(to.tv_sec - from.tv_sec) +
				       (double)(to.tv_nsec - from.tv_nsec) / 1e9));
}

int main(int argc, char **argv)
{
	need(argc > 4, "four arguments, please");
	nr_dirs = (unsigned int)strtoul(argv[2], NULL, 10);
	nr_files = (unsigned int)strtoul(argv[3], NULL, 10);
	dirs = calloc(nr_dirs, sizeof(*dirs));
	files = calloc((size_t)nr_dirs * nr_files, sizeof(*files));
	need(dirs && files, "no memory");
	start(argv[1]);
	hello();
	for (int i = 4; i < argc; i++)
		run(argv[i]);
	return 0;
}
