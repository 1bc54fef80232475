/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: gmem never yields a pointer outside a region
 *
 * Worlds: every sequence of up to three regions, of one or two pages each, at the addresses of @places, which touch,
 * overlap and leave gaps, at 0, at 4 GiB and at the end of 64 bits. Each is first offered to gmem_map(), which has to
 * take exactly those that the model takes. Questions: every address at, one before and one after each border of a region and
 * each end of 64 bits, with every length that ends at, before or after such a border, and the greatest ones.
 *
 * The model knows bytes, not ranges: an address is RAM when a region has it, and sums have 128 bits.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/core/gmem.h"
#include "tests/prove/prove.h"

typedef unsigned __int128 u128;

#define REGIONS	    3
#define FILE_PAGES  6
#define BORDERS_MAX (2 * REGIONS + 2)

static const uint64_t places[] = {0,
				  P,
				  2 * P,
				  3 * P,
				  4 * P,
				  (1ULL << 32) - P,
				  1ULL << 32,
				  1ULL << 63,
				  -3 * P,
				  (uint64_t)-2 * P,
				  (uint64_t)-P,
				  P / 2};
static const uint64_t sizes[] = {P, 2 * P};

/* A region as it was asked for; @user is 0 where translation is not asked about */
struct piece {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t user;
};

static int memory;

static bool apart(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return (u128)a + a_bytes <= b || (u128)b + b_bytes <= a;
}

/* Whether a world of @nr pieces may have @p as its next */
static bool model_takes(const struct piece *world, unsigned int nr, const struct piece *p)
{
	const u128 end = (u128)1 << 64;

	if (p->bytes == 0 || p->bytes % P != 0 || p->gpa % P != 0 ||
	    (u128)p->gpa + p->bytes > end || (u128)p->user + p->bytes > end)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		if (!apart(world[i].gpa, world[i].bytes, p->gpa, p->bytes))
			return false;
		if (world[i].user != 0 && p->user != 0 &&
		    !apart(world[i].user, world[i].bytes, p->user, p->bytes))
			return false;
	}
	return true;
}

/* The piece that has the byte at @gpa, or NULL */
static const struct piece *model_find(const struct piece *world, unsigned int nr, u128 gpa)
{
	for (unsigned int i = 0; i < nr; i++)
		if (gpa >= world[i].gpa && gpa < (u128)world[i].gpa + world[i].bytes)
			return &world[i];
	return NULL;
}

/* Where the file's page for @p is mapped; pieces were mapped at twice their index, in pages */
static uint8_t *base_of(const struct gmem *m, const struct piece *p)
{
	for (unsigned int i = 0; i < m->nr; i++)
		if (m->region[i].gpa == p->gpa)
			return m->region[i].base;
	return NULL;
}

/* gmem_ptr(), for which the range lies in one region */
static void ask_ptr(const struct gmem *m, const struct piece *world, unsigned int nr, uint64_t gpa,
		    uint64_t len)
{
	const struct piece *p = model_find(world, nr, gpa);
	uint8_t *right = NULL;

	if (p && len > 0 && (u128)gpa + len <= (u128)p->gpa + p->bytes)
		right = base_of(m, p) + (gpa - p->gpa);
	PROVE(gmem_ptr(m, gpa, len) == right, "pointer of 0x%lx, 0x%lx bytes", gpa, len);
}

/* gmem_iov(), which may cross from region to region: the model goes border by border */
static void ask_iov(const struct gmem *m, const struct piece *world, unsigned int nr, uint64_t gpa,
		    uint64_t len, unsigned int room)
{
	struct iovec iov[REGIONS + 1], right[REGIONS + 1];
	unsigned int n = 0, got;
	u128 at = gpa, end = (u128)gpa + len;

	while (at < end) {
		const struct piece *p = model_find(world, nr, at);
		u128 stop;

		if (!p || n == room) {
			n = 0;
			break;
		}
		stop = (u128)p->gpa + p->bytes < end ? (u128)p->gpa + p->bytes : end;
		right[n++] = (struct iovec){base_of(m, p) + (size_t)(at - p->gpa),
					    (size_t)(stop - at)};
		at = stop;
	}
	got = gmem_iov(m, gpa, len, iov, room);
	PROVE(got == n && memcmp(iov, right, n * sizeof(*iov)) == 0,
	      "pieces of 0x%lx, 0x%lx bytes, room for %u: %u, not %u", gpa, len, room, got, n);
}

static void ask_user(const struct gmem *m, const struct piece *world, unsigned int nr,
		     uint64_t user, uint64_t len)
{
	uint64_t right = 1, gpa = 1;
	bool is = false;

	for (unsigned int i = 0; i < nr; i++) {
		const struct piece *p = &world[i];

		if (p->user != 0 && len > 0 && user >= p->user &&
		    (u128)user + len <= (u128)p->user + p->bytes) {
			is = true;
			right = p->gpa + (user - p->user);
		}
	}
	PROVE(gmem_user_to_gpa(m, user, len, &gpa) == is && gpa == right,
	      "translation of 0x%lx, 0x%lx bytes", user, len);
}

/* What is read and written is what lies there: each byte of the file says where it is. */
static void ask_bytes(const struct gmem *m, const struct piece *world, unsigned int nr,
		      uint64_t gpa, uint64_t len)
{
	static uint8_t got[FILE_PAGES * P + 1];
	const size_t most = sizeof(got) - 1;
	bool inside = len > 0 && len <= most, same = true;

	for (uint64_t i = 0; i < len && inside; i++)
		inside = model_find(world, nr, (u128)gpa + i) != NULL;
	if (len > most)
		return;
	got[len] = 0xa5;
	PROVE(gmem_read(m, gpa, got, len) == inside, "read of 0x%lx, 0x%lx bytes", gpa, len);
	for (uint64_t i = 0; i < len && inside && same; i++) {
		const struct piece *p = model_find(world, nr, gpa + i);

		same = got[i] == base_of(m, p)[gpa + i - p->gpa];
	}
	PROVE(same && got[len] == 0xa5, "bytes of 0x%lx, 0x%lx bytes", gpa, len);
	PROVE(gmem_write(m, gpa, got, len) == inside, "write to 0x%lx, 0x%lx bytes", gpa, len);
}

/* Every range between @borders, and one byte around each */
static void ask_all(const struct gmem *m, const struct piece *world, unsigned int nr, bool user)
{
	static const uint64_t lengths[] = {0,	       1,	  (uint64_t)-1, (uint64_t)-P,
					   1ULL << 63, 1ULL << 32};
	uint64_t border[BORDERS_MAX] = {0, (uint64_t)-1};
	unsigned int n = 2;

	for (unsigned int i = 0; i < nr; i++) {
		uint64_t first = user ? world[i].user : world[i].gpa;

		border[n++] = first;
		border[n++] = first + world[i].bytes;
	}
	for (unsigned int a = 0; a < 3 * n; a++) {
		uint64_t gpa = border[a / 3] + a % 3 - 1;

		for (unsigned int b = 0; b < 3 * n + ARRAY_SIZE(lengths); b++) {
			uint64_t len = b < 3 * n ? border[b / 3] + b % 3 - 1 - gpa
						 : lengths[b - 3 * n];

			if (user) {
				ask_user(m, world, nr, gpa, len);
				continue;
			}
			ask_ptr(m, world, nr, gpa, len);
			for (unsigned int room = 0; room <= REGIONS; room++)
				ask_iov(m, world, nr, gpa, len, room);
			ask_bytes(m, world, nr, gpa, len);
		}
	}
}

/* Offers @p as the world's next piece; whether it was taken, as the model has it */
static bool offer(struct gmem *m, const struct piece *world, unsigned int nr, const struct piece *p)
{
	bool right = model_takes(world, nr, p);
	struct err err = {0};
	int rc = gmem_map(m, memory, 2 * nr * P, p->gpa, p->bytes, p->user, &err);

	PROVE((rc == 0) == right, "region at 0x%lx of 0x%lx bytes, user 0x%lx, beside %u: %d",
	      p->gpa, p->bytes, p->user, nr, rc);
	return right;
}

/* Every world that begins with the @nr pieces of @world, which are mapped */
static void enumerate(struct piece *world, unsigned int nr, bool user)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(places) * ARRAY_SIZE(sizes) && nr < REGIONS; i++) {
		uint64_t at = places[i / ARRAY_SIZE(sizes)];
		struct gmem m = {0};
		bool taken = true;

		world[nr] = (struct piece){.gpa = at, .bytes = sizes[i % ARRAY_SIZE(sizes)]};
		if (user)
			world[nr] = (struct piece){2 * nr * P, world[nr].bytes, at};
		for (unsigned int k = 0; k <= nr; k++)
			taken = taken && offer(&m, world, k, &world[k]);
		if (taken) {
			ask_all(&m, world, nr + 1, user);
			enumerate(world, nr + 1, user);
		}
		gmem_done(&m);
	}
}

/* Which parts of the file gmem_map() takes: every offset and size around the file's end and the ends of 64 bits */
static void enumerate_file(void)
{
	uint64_t values[4 * FILE_PAGES + 16];
	unsigned int n = 0;

	for (uint64_t i = 0; i <= FILE_PAGES + 1; i++) {
		values[n++] = i * P;
		values[n++] = i * P + 1;
		values[n++] = -i * P;
	}
	values[n++] = 1ULL << 63;
	values[n++] = (1ULL << 63) - P;
	for (unsigned int i = 0; i < n * n; i++) {
		uint64_t offset = values[i / n], bytes = values[i % n];
		bool right = offset % P == 0 && bytes % P == 0 && bytes > 0 &&
			     (u128)offset + bytes <= FILE_PAGES * P;
		struct gmem m = {0};
		struct err err = {0};

		PROVE((gmem_map(&m, memory, offset, 0, bytes, 0, &err) == 0) == right,
		      "0x%lx bytes at 0x%lx of the file", bytes, offset);
		PROVE(m.nr == right, "a region that was refused");
		gmem_done(&m);
	}
}

int main(void)
{
	struct piece world[REGIONS];

	memory = memfd_create("memory", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, FILE_PAGES * P) < 0)
		return 1;
	for (uint32_t i = 0; i < FILE_PAGES * P; i++) {
		uint8_t byte = (uint8_t)(i * 2654435761U >> 24);

		if (pwrite(memory, &byte, 1, i) != 1)
			return 1;
	}
	enumerate_file();
	prove_said("a mapping never reaches past its file");
	enumerate(world, 0, false);
	prove_said("guest addresses: regions, pointers, pieces, bytes");
	enumerate(world, 0, true);
	prove_said("front-end addresses");
	return 0;
}
