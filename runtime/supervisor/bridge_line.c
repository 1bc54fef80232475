/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/bridge_line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool bridge_line_read(struct bridge_line *l, int fd, bool seqpacket)
{
	char *at = l->text + l->len;
	const size_t room = sizeof(l->text) - l->len;
	ssize_t n = recv(fd, at, room, seqpacket ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_PEEK);
	const char *end = n > 0 ? memchr(at, '\n', (size_t)n) : NULL;

	if (n > 0 && !seqpacket)
		n = recv(fd, at, end ? (size_t)(end + 1 - at) : (size_t)n, MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	l->len += (unsigned int)n;
	return n == 0 || seqpacket || l->text[l->len - 1] == '\n' || l->len == sizeof(l->text);
}

bool bridge_line_port(const struct bridge_line *l, uint32_t *ret_port)
{
	static const char word[] = "CONNECT ";
	uint64_t port = 0;
	unsigned int i = sizeof(word) - 1;

	if (l->len < sizeof(word) + 1 || l->len > sizeof(word) + 10 ||
	    memcmp(l->text, word, i) != 0 || l->text[l->len - 1] != '\n')
		return false;
	for (; i < l->len - 1; i++) {
		if (l->text[i] < '0' || l->text[i] > '9')
			return false;
		port = port * 10 + (uint64_t)(l->text[i] - '0');
	}
	*ret_port = (uint32_t)port;
	return port <= UINT32_MAX;
}
