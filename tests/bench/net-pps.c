/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Packets per second of a network device, and what a packet costs
 *
 * usage: net-pps INTERFACE NAME=PID...
 *
 * The guest behind INTERFACE, a TAP, is tests/guests/netbench.c, which says what is on the wire. A
 * slice is one order: to send so many frames, or to receive so many, which are sent to it from here;
 * it ends with the guest's answer. A TAP drops what it has no room for, so no more than WINDOW frames
 * wait on it: its counter of transmitted packets tells how many have been taken.
 *
 * The kinds of slices take turns, so other load on the machine hits all; each figure is the
 * median of ROUNDS slices, with the least and the greatest beside it. CPU time is that of the
 * processes named, in which is what the kernel does for them. That of the VMM has the guest's, which
 * polls: where something else wants the cores it grows with the time a slice takes, and the greatest
 * rate and the device's own time are what to compare. The sender of frames to the guest is not in
 * it, but shares the machine. The last column is how often the guest rang, in a thousand packets.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define TYPE_COUNT  0x88b5
#define TYPE_ORDER  0x88b6
#define FRAME_MAX   2048U
#define ROUNDS	    9U
#define WINDOW	    384U /* of the 500 or 1000 a TAP takes */
#define BATCH	    32U
#define PROCS_MAX   4
#define PATIENCE_S  20
#define DEADLINE_NS 60000000000ULL /* no round begins after it */

/* Columns of /proc/net/dev: packets the device has put on the TAP, and has had from it */
enum { PUT = 1, TAKEN = 9 };

enum { HOW_SEND = 1, HOW_RECEIVE = 2 };

/* The request to the guest, and its answer, which also has what follows @count */
struct order {
	struct ether_header eth;
	uint8_t how;
	uint16_t bytes;
	uint32_t count;
	uint32_t nr_rung;
	uint8_t pad[35];
} __attribute__((packed));

struct proc {
	const char *name;
	clockid_t clock;
};

/**
 * struct bench - What all slices share
 * @fd:		Sends, and gets answers
 * @counters:	/proc/net/dev
 */
struct bench {
	const char *interface;
	int fd;
	int counters;
	struct proc proc[PROCS_MAX];
	unsigned int nr_procs;
	uint8_t frame[FRAME_MAX];
};

/* One kind of slice */
struct kind {
	const char *name;
	uint8_t how;
	uint16_t bytes;
	uint32_t count;
};

/* One slice; microseconds per packet */
struct sample {
	double pps;
	double rung;
	double cpu_us;
	double proc_us[PROCS_MAX];
};

static const struct kind kinds[] = {
	{"from guest", HOW_SEND, 64, 200000},
	{"from guest", HOW_SEND, 1500, 200000},
	{"to guest", HOW_RECEIVE, 64, 200000},
	{"to guest", HOW_RECEIVE, 1500, 200000},
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		err(1, "a process is gone");
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* One of the TAP's counters */
static uint64_t counter(const struct bench *b, unsigned int column)
{
	char text[4096], *at;
	ssize_t n = pread(b->counters, text, sizeof(text) - 1, 0);
	uint64_t v = 0;

	if (n < 0)
		err(1, "/proc/net/dev");
	text[n] = 0;
	at = strstr(text, b->interface);
	if (!at)
		errx(1, "%s: no such interface", b->interface);
	at += strlen(b->interface) + 1;
	for (unsigned int i = 0; i <= column; i++)
		v = strtoull(at, &at, 10);
	return v;
}

static void order(const struct bench *b, const struct kind *k)
{
	struct order o = {.how = k->how, .bytes = k->bytes, .count = k->count};

	memcpy(&o.eth, b->frame, sizeof(o.eth));
	o.eth.ether_type = htons(TYPE_ORDER);
	if (send(b->fd, &o, sizeof(o), 0) != sizeof(o))
		err(1, "%s: ordering", b->interface);
}

static uint32_t answer(const struct bench *b, const struct kind *k)
{
	struct order o;

	if (recv(b->fd, &o, sizeof(o), 0) < (ssize_t)offsetof(struct order, pad))
		err(1, "%s, %u bytes: the guest does not answer", k->name, k->bytes);
	if (o.how != k->how || o.count != k->count)
		errx(1, "%s, %u bytes: the guest answers another order", k->name, k->bytes);
	return o.nr_rung;
}

/* Sends @k->count frames, no faster than they are taken */
static void feed(struct bench *b, const struct kind *k)
{
	struct iovec iov = {b->frame, k->bytes};
	struct mmsghdr m[BATCH];
	/* The receiver may need this core. */
	const struct timespec a_moment = {.tv_nsec = 50000};
	uint64_t base = counter(b, TAKEN),
		 end = now_ns(CLOCK_MONOTONIC) + PATIENCE_S * 1000000000ULL;
	uint32_t sent = 0, gone = 0;

	for (unsigned int i = 0; i < BATCH; i++)
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	while (sent < k->count) {
		uint32_t n = k->count - sent < BATCH ? k->count - sent : BATCH;
		int rc;

		if (sent + n - gone > WINDOW) {
			const uint32_t before = gone;

			nanosleep(&a_moment, NULL);
			gone = (uint32_t)(counter(b, TAKEN) - base);
			if (gone != before)
				end = now_ns(CLOCK_MONOTONIC) + PATIENCE_S * 1000000000ULL;
			if (now_ns(CLOCK_MONOTONIC) > end)
				errx(1, "%s: no process takes what is sent", b->interface);
			continue;
		}
		rc = sendmmsg(b->fd, m, n, 0);
		if (rc < 0 && errno != ENOBUFS)
			err(1, "%s: sending", b->interface);
		sent += rc > 0 ? (uint32_t)rc : 0;
	}
}

static struct sample slice(struct bench *b, const struct kind *k)
{
	uint64_t cpu[PROCS_MAX], put = counter(b, PUT), begin;
	struct sample s = {.pps = 0};

	for (unsigned int i = 0; i < b->nr_procs; i++)
		cpu[i] = now_ns(b->proc[i].clock);
	begin = now_ns(CLOCK_MONOTONIC);
	order(b, k);
	if (k->how == HOW_RECEIVE)
		feed(b, k);
	s.rung = answer(b, k) * 1000.0 / k->count;
	s.pps = k->count * 1e9 / (double)(now_ns(CLOCK_MONOTONIC) - begin);
	for (unsigned int i = 0; i < b->nr_procs; i++) {
		s.proc_us[i] = (double)(now_ns(b->proc[i].clock) - cpu[i]) / 1e3 / k->count;
		s.cpu_us += s.proc_us[i];
	}
	/* The guest counts what it gets; what it sends might get lost. */
	if (k->how == HOW_SEND && counter(b, PUT) - put < k->count)
		errx(1, "%s, %u bytes: %llu of %u frames came", k->name, k->bytes,
		     (unsigned long long)(counter(b, PUT) - put), k->count);
	return s;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The figure @off into each of @nr samples, sorted into @v; its median */
static double figure(const struct sample *s, unsigned int nr, size_t off, double *v)
{
	for (unsigned int i = 0; i < nr; i++)
		memcpy(&v[i], (const uint8_t *)&s[i] + off, sizeof(*v));
	qsort(v, nr, sizeof(*v), compare);
	return v[nr / 2];
}

static void row(const struct bench *b, const struct kind *k, const struct sample *s,
		unsigned int nr)
{
	double v[ROUNDS];

	printf("  %-10s %5u %9.0f", k->name, k->bytes,
	       figure(s, nr, offsetof(struct sample, pps), v));
	printf(" %8.0f-%-8.0f", v[0], v[nr - 1]);
	printf(" %6.2f", figure(s, nr, offsetof(struct sample, cpu_us), v));
	printf(" (%5.2f-%5.2f)", v[0], v[nr - 1]);
	for (unsigned int i = 0; i < b->nr_procs; i++)
		printf(" %10.2f", figure(s, nr, offsetof(struct sample, proc_us[i]), v));
	printf(" %9.1f\n", figure(s, nr, offsetof(struct sample, rung), v));
}

static void bench_init(struct bench *b, int argc, char **argv)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(TYPE_ORDER)};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	const struct ether_header eth = {
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {2, 0, 0, 0, 0, 1}, htons(TYPE_COUNT)};
	int on = 1;

	b->interface = argv[1];
	for (int i = 2; i < argc; i++) {
		char *is = strchr(argv[i], '=');
		struct proc *p = &b->proc[b->nr_procs++];

		if (!is || clock_getcpuclockid((pid_t)atoi(is + 1), &p->clock) != 0)
			errx(2, "%s: not NAME=PID of a process", argv[i]);
		*is = 0;
		p->name = argv[i];
	}
	memcpy(b->frame, &eth, sizeof(eth));
	at.sll_ifindex = (int)if_nametoindex(b->interface);
	b->counters = open("/proc/net/dev", O_RDONLY | O_CLOEXEC);
	b->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(TYPE_ORDER));
	if (b->counters < 0 || b->fd < 0 || bind(b->fd, (void *)&at, sizeof(at)) < 0 ||
	    setsockopt(b->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0 ||
	    setsockopt(b->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "%s", b->interface);
}

int main(int argc, char **argv)
{
	static struct sample sample[NR_KINDS][ROUNDS];
	static struct bench b;
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	unsigned int nr = 0;

	if (argc < 3 || argc > 2 + PROCS_MAX)
		errx(2, "usage: net-pps INTERFACE NAME=PID...");
	bench_init(&b, argc, argv);
	for (unsigned int i = 0; i < NR_KINDS; i++)
		slice(&b, &kinds[i]); /* warms up */
	for (; nr < ROUNDS && now_ns(CLOCK_MONOTONIC) - begin < DEADLINE_NS; nr++) {
		for (unsigned int i = 0; i < NR_KINDS; i++)
			sample[i][nr] = slice(&b, &kinds[i]);
	}
	if (nr == 0)
		errx(1, "out of time");
	printf("  %-10s %5s %9s %17s %6s %13s", "direction", "bytes", "packets/s", "range   ",
	       "us CPU", "(range)");
	for (unsigned int i = 0; i < b.nr_procs; i++)
		printf(" %10s", b.proc[i].name);
	printf(" %9s\n", "rung");
	for (unsigned int i = 0; i < NR_KINDS; i++)
		row(&b, &kinds[i], sample[i], nr);
	return 0;
}
