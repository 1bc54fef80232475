/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/rtreq.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

int rtreq_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return sock < 0 ? -errno : sock;
}

static void rtreq_append(struct rtreq *r, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(r->head.nlmsg_len);

	if (r->full || at > sizeof(r->bytes) || len > sizeof(r->bytes) - at) {
		r->full = true;
		return;
	}
	memcpy(r->bytes + at, data, len);
	r->head.nlmsg_len = (uint32_t)(at + len);
}

void rtreq_begin(struct rtreq *r, uint16_t type, uint16_t flags, const void *family, size_t len)
{
	*r = (struct rtreq){0};
	r->head.nlmsg_len = NLMSG_HDRLEN;
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST | NLM_F_ACK);
	r->head.nlmsg_seq = 1;
	rtreq_append(r, family, len);
}

void rtreq_add(struct rtreq *r, uint16_t attribute, const void *data, size_t len)
{
	struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = attribute};

	rtreq_append(r, &a, sizeof(a));
	rtreq_append(r, data, len);
}

/* Ask, and hand each answer but the last, which is an errno, to @each */
static int rtreq_ask(int sock, const struct rtreq *r,
		     void (*each)(const struct nlmsghdr *h, void *arg), void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t answers[8192];

	if (r->full)
		return -EMSGSIZE;
	if (send(sock, r->bytes, r->head.nlmsg_len, 0) < 0)
		return -errno;
	while (true) {
		ssize_t n = recv(sock, answers, sizeof(answers), 0);
		size_t left = n < 0 ? 0 : (size_t)n;

		if (n < 0)
			return -errno;
		for (const struct nlmsghdr *h = (void *)answers; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			each(h, arg);
		}
	}
}

static void rtreq_ignore(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
}

int rtreq_send(int sock, struct rtreq *r)
{
	return rtreq_ask(sock, r, rtreq_ignore, NULL);
}

struct rtreq_search {
	const uint8_t *mac;
	int behind, index;
};

static void rtreq_compare(const struct nlmsghdr *h, void *arg)
{
	struct rtreq_search *s = arg;
	const struct ifinfomsg *link = NLMSG_DATA(h);
	size_t left;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*link)) ||
	    link->ifi_type != ARPHRD_ETHER || link->ifi_index <= s->behind ||
	    (s->index > 0 && link->ifi_index > s->index))
		return;
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*link));
	for (const struct rtattr *a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == 6 &&
		    memcmp(RTA_DATA(a), s->mac, 6) == 0)
			s->index = link->ifi_index;
}

int rtreq_link_of(int sock, const uint8_t mac[6], int behind)
{
	struct rtreq_search s = {mac, behind, -ENODEV};
	struct ifinfomsg family = {0};
	struct rtreq r;
	int rc;

	rtreq_begin(&r, RTM_GETLINK, NLM_F_DUMP, &family, sizeof(family));
	rc = rtreq_ask(sock, &r, rtreq_compare, &s);
	return rc < 0 ? rc : s.index;
}
