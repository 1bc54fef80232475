/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that knows more inodes than the device may have file descriptors: nodes lose theirs all the time, and
 * are found again.
 */
#include <sys/resource.h>

#include "tests/support/fs_rig.h"

#define ROOT  FUSE_ROOT_ID
#define MANY  2500U /* more than all fds */
#define STALE (-ESTALE)

static void setup(void)
{
	const struct rlimit few = {FS_FDS_MIN, FS_FDS_MIN};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

TestSuite(fs_table, .init = setup, .fini = fs_stop);

static const char *name_of(unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "many/%u", i);
	return name;
}

/* A directory with so many files that to look them all up takes everything else its fd */
static void make_many(void)
{
	cr_assert_eq(mkdirat(fs_at, "many", 0755), 0);
	for (unsigned int i = 0; i < MANY; i++)
		cr_assert_eq(mknodat(fs_at, name_of(i), S_IFREG | 0644, 0), 0);
}

static void press(uint64_t *ret_node)
{
	const uint64_t dir = fs_node(ROOT, "many");

	for (unsigned int i = 0; i < MANY; i++) {
		uint64_t node = fs_node(dir, name_of(i) + 5);

		if (ret_node)
			ret_node[i] = node;
	}
}

static struct fuse_attr attr_of(uint64_t node, int *ret_error)
{
	const struct fuse_getattr_in get = {0};
	struct fs_reply r = fs_ask(FUSE_GETATTR, node, sizeof(struct fuse_attr_out), FS_ARG(get),
				   FS_END);

	*ret_error = r.error;
	return r.error ? (struct fuse_attr){0} : ((const struct fuse_attr_out *)r.body)->attr;
}

static int error_of(uint64_t node)
{
	int error;

	(void)attr_of(node, &error);
	return error;
}

static uint64_t make_dir(uint64_t parent, const char *name)
{
	const struct fuse_mkdir_in in = {.mode = 0755};
	struct fs_reply r = fs_ask(FUSE_MKDIR, parent, sizeof(struct fuse_entry_out), FS_ARG(in),
				   FS_STR(name), FS_END);

	cr_assert_eq(r.error, 0);
	return *(const uint64_t *)r.body;
}

static int rename_to(uint64_t from, const char *name, uint64_t to, const char *new_name,
		     uint32_t flags)
{
	const struct fuse_rename2_in in = {.newdir = to, .flags = flags};

	return fs_ask(FUSE_RENAME2, from, 0, FS_ARG(in), FS_STR(name), FS_STR(new_name), FS_END)
		.error;
}

Test(fs_table, knows_more_inodes_than_it_has_fds)
{
	static uint64_t node[MANY];

	make_many();
	press(node);
	cr_assert_lt(fs_fds(), FS_FDS_MIN);
	for (unsigned int i = 0; i < MANY; i++) {
		struct stat st;
		int error;

		cr_assert_eq(fstatat(fs_at, name_of(i), &st, 0), 0);
		cr_assert_eq(attr_of(node[i], &error).ino, st.st_ino, "%u: %d", i, error);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		fs_forget(node[i], 1);
		cr_assert_eq(error_of(node[i]), STALE);
	}
}

Test(fs_table, what_is_open_stays_without_a_name)
{
	uint64_t node, fh, dir, linked, over, over_fh;
	struct fuse_link_in link;

	make_many();
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_create(ROOT, "over", O_RDWR, 0600, &over, &over_fh), 0);
	fs_host_file("moves", "x");
	fs_host_file("two", "x");
	dir = make_dir(ROOT, "cwd");
	linked = link.oldnodeid = fs_node(ROOT, "two");
	cr_assert_eq(fs_ask(FUSE_LINK, ROOT, 128, FS_ARG(link), FS_STR("second"), FS_END).error, 0);
	press(NULL);
	cr_assert_eq(fs_ask(FUSE_UNLINK, ROOT, 0, FS_STR("f"), FS_END).error, 0);
	cr_assert_eq(fs_ask(FUSE_RMDIR, ROOT, 0, FS_STR("cwd"), FS_END).error, 0);
	cr_assert_eq(fs_ask(FUSE_UNLINK, ROOT, 0, FS_STR("second"), FS_END).error, 0);
	(void)fs_node(ROOT, "moves");
	cr_assert_eq(rename_to(ROOT, "moves", ROOT, "over", 0), 0);
	press(NULL);
	cr_expect_eq(error_of(node), 0, "an open file");
	cr_expect_eq(error_of(dir), 0, "a working directory");
	cr_expect_eq(error_of(linked), 0, "a file with another name");
	cr_expect_eq(error_of(over), 0, "a file that was renamed over");
	cr_expect_eq(fs_write(node, fh, 0, "kept", 4), 4);
	cr_expect_eq(fs_open(FUSE_OPEN, node, O_RDWR, &fh), 0);
	cr_expect_eq(fs_read(FUSE_READ, node, fh, 0, 10).bytes, 4);
}

Test(fs_table, names_that_change_places)
{
	uint64_t a, b, sub;
	int error;

	make_many();
	sub = make_dir(ROOT, "sub");
	fs_host_file("a", "a");
	fs_host_file("sub/b", "bb");
	a = fs_node(ROOT, "a");
	b = fs_node(sub, "b");
	press(NULL);
	cr_assert_eq(rename_to(ROOT, "a", sub, "b", RENAME_EXCHANGE), 0);
	press(NULL);
	cr_expect_eq(attr_of(a, &error).size, 1);
	cr_expect_eq(attr_of(b, &error).size, 2);
	cr_expect_eq(fs_node(sub, "b"), a);
	cr_expect_eq(fs_node(ROOT, "a"), b);
}

Test(fs_table, the_guest_renames_what_is_above)
{
	uint64_t a, b, file, other;

	make_many();
	a = make_dir(ROOT, "a");
	b = make_dir(a, "b");
	other = make_dir(ROOT, "other");
	fs_host_file("a/b/f", "x");
	file = fs_node(b, "f");
	press(NULL);
	cr_assert_eq(rename_to(ROOT, "a", other, "moved", 0), 0);
	press(NULL);
	cr_expect_eq(error_of(file), 0);
	cr_expect_eq(error_of(b), 0);
	cr_expect_eq(fs_node(b, "f"), file);
}

Test(fs_table, the_host_renames_and_replaces)
{
	uint64_t a, file, replaced, dir, fh;
	int error;

	make_many();
	a = make_dir(ROOT, "a");
	fs_host_file("a/f", "x");
	fs_host_file("replaced", "old");
	file = fs_node(a, "f");
	replaced = fs_node(ROOT, "replaced");
	cr_assert_eq(fs_open(FUSE_OPENDIR, a, O_RDONLY, &fh), 0);
	press(NULL);
	cr_assert_eq(renameat(fs_at, "a", fs_at, "z"), 0);
	cr_assert_eq(unlinkat(fs_at, "replaced", 0), 0);
	fs_host_file("replaced", "new");
	cr_expect_eq(error_of(a), 0, "it is open");
	cr_expect_eq(error_of(file), 0, "it is found from there");
	cr_assert_eq(fs_release(FUSE_RELEASEDIR, a, fh), 0);
	press(NULL);
	cr_expect_eq(error_of(a), STALE);
	cr_expect_eq(error_of(file), STALE);
	cr_expect_eq(error_of(replaced), STALE, "another inode of that name");
	dir = fs_node(ROOT, "z");
	cr_expect_eq(dir, a, "one inode, one number");
	cr_expect_eq(error_of(file), 0, "it is below it as before");
	cr_expect_neq(fs_lookup(ROOT, "replaced", &error).nodeid, replaced);
	/* To remove a name whose file is no more where the table has it is no error. */
	cr_assert_eq(renameat(fs_at, "z/f", fs_at, "elsewhere"), 0);
	press(NULL);
	fs_host_file("z/f", "another");
	cr_expect_eq(fs_ask(FUSE_UNLINK, dir, 0, FS_STR("f"), FS_END).error, 0);
}

/* The host moves A below its own child B: what the table has of B is out of date, and no circle. */
Test(fs_table, no_directory_is_below_itself)
{
	uint64_t a, b, c;

	make_many();
	a = make_dir(ROOT, "a");
	b = make_dir(a, "b");
	c = make_dir(b, "c");
	cr_assert_eq(renameat(fs_at, "a/b", fs_at, "b"), 0);
	cr_assert_eq(renameat(fs_at, "a", fs_at, "b/c/a"), 0);
	cr_assert_eq(fs_node(c, "a"), a);
	press(NULL);
	cr_expect_eq(error_of(a), 0);
	cr_expect_eq(fs_node(ROOT, "b"), b);
	press(NULL);
	cr_expect_eq(error_of(c), 0);
	cr_expect_eq(fs_node(c, "a"), a);
	press(NULL);
	cr_expect_eq(error_of(a), 0);
}

Test(fs_table, deep_paths_of_long_names)
{
	char name[256];
	uint64_t node = ROOT;

	make_many();
	memset(name, 'n', 255);
	name[255] = '\0';
	for (unsigned int i = 0; i < 100; i++)
		node = make_dir(node, name);
	press(NULL);
	cr_assert_eq(error_of(node), 0);
	press(NULL);
	(void)make_dir(node, "below");
}

/* Reads "many" to its end with READDIRPLUS: the first node, and how many names have one */
static uint64_t list_many(unsigned int *ret_nr)
{
	const uint64_t dir = fs_node(ROOT, "many");
	uint64_t fh, off = 0, first = 0;
	unsigned int nr = 0;

	cr_assert_eq(fs_open(FUSE_OPENDIR, dir, O_RDONLY, &fh), 0);
	while (true) {
		struct fs_reply r = fs_read(FUSE_READDIRPLUS, dir, fh, off, 1 << 20);
		const uint8_t *at = r.body, *end = at + r.bytes;

		cr_assert_eq(r.error, 0);
		if (r.bytes == 0)
			break;
		for (; at < end; at += FUSE_DIRENTPLUS_SIZE((const struct fuse_direntplus *)at)) {
			const struct fuse_direntplus *e = (const void *)at;

			off = e->dirent.off;
			nr += e->entry_out.nodeid != 0;
			first = first ? first : e->entry_out.nodeid;
		}
	}
	*ret_nr = nr;
	cr_assert_eq(fs_release(FUSE_RELEASEDIR, dir, fh), 0);
	return first;
}

Test(fs_table, listing_takes_no_fds)
{
	unsigned int before, nr;
	uint64_t node;

	make_many();
	(void)fs_node(ROOT, "many");
	before = fs_fds();
	node = list_many(&nr);
	cr_assert_eq(nr, MANY);
	cr_assert_eq(fs_fds(), before);
	cr_assert_eq(error_of(node), 0);
	cr_assert_eq(fs_fds(), before + 1, "the one that is used has one");
}

Test(fs_table, files_without_names_are_bounded)
{
	static uint64_t node[MANY];
	unsigned int kept = 0;

	make_many();
	press(node);
	for (unsigned int i = 0; i < MANY; i++)
		cr_assert_eq(fs_ask(FUSE_UNLINK, fs_node(ROOT, "many"), 0, FS_STR(name_of(i) + 5),
				    FS_END)
				     .error,
			     0);
	for (unsigned int i = 0; i < MANY; i++)
		kept += error_of(node[i]) == 0;
	cr_assert(kept > 100 && kept < FS_FDS_MIN, "%u", kept);
	cr_assert_lt(fs_fds(), FS_FDS_MIN);
	fs_host_file("f", "x");
	(void)fs_node(ROOT, "f");
}

Test(fs_table, open_files_are_bounded)
{
	unsigned int nr = 0;
	uint64_t node, fh;
	int error;

	fs_host_file("f", "x");
	node = fs_node(ROOT, "f");
	while ((error = fs_open(FUSE_OPEN, node, O_RDONLY, &fh)) == 0)
		nr++;
	cr_assert_eq(error, -ENFILE);
	cr_assert(nr > 100 && nr < FS_FDS_MIN / 2, "%u", nr);
	make_many();
	press(NULL);
	cr_assert_eq(error_of(node), 0);
	cr_assert_eq(fs_release(FUSE_RELEASE, node, fh), 0);
	cr_assert_eq(fs_open(FUSE_OPEN, node, O_RDONLY, &fh), 0);
}

Test(fs_alone, the_soft_limit_is_none, .fini = fs_stop)
{
	const struct rlimit soft = {FS_FDS_MIN / 4, FS_FDS_MIN};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &soft), 0);
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

/* ---- memory -------------------------------------------------------------------------------- */

#define KNOWN	    100000U
#define KNOWN_BYTES (24U << 20)

/* Memory of the device, in bytes: its part of all pages but guest RAM */
static uint64_t bytes_of_device(void)
{
	char path[64], line[128];
	uint64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", rig.child.pid);
	f = fopen(path, "r");
	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long n;

		if (sscanf(line, "Pss_Anon: %lu", &n) == 1 ||
		    sscanf(line, "Pss_File: %lu", &n) == 1)
			kib += n;
	}
	fclose(f);
	return kib * 1024;
}

Test(fs_memory, of_100000_known_inodes, .fini = fs_stop)
{
	unsigned int nodes = 0;
	uint64_t before, after;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(mkdirat(fs_at, "many", 0755), 0);
	before = bytes_of_device();
	for (unsigned int i = 0; i < KNOWN; i++) {
		char name[64];

		snprintf(name, sizeof(name), "many/a-name-of-usual-length-%u.c", i);
		cr_assert_eq(mknodat(fs_at, name, S_IFREG | 0644, 0), 0);
	}
	(void)list_many(&nodes);
	cr_assert_eq(nodes, KNOWN);
	after = bytes_of_device();
	cr_log_info("%u inodes known: %lu KiB, before %lu KiB\n", KNOWN, after / 1024,
		    before / 1024);
	cr_assert_lt(after, KNOWN_BYTES);
}
