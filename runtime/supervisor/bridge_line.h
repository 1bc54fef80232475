/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a client of the bridge says first: "CONNECT <port>\n"
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_BRIDGE_LINE_H
#define VMRUN_RUNTIME_SUPERVISOR_BRIDGE_LINE_H

#include "devices/core/base.h"

#define BRIDGE_LINE_BYTES 32

/** struct bridge_line - What it said so far, @len bytes */
struct bridge_line {
	unsigned int len;
	char text[BRIDGE_LINE_BYTES];
};

/**
 * bridge_line_read() - Take the line as far as it has come, and not a byte more: the rest is the guest's
 * @seqpacket:	The line is one message
 *
 * Return: whether nothing more of it is to come: it is whole, too long, or the client has ended
 */
MUST_CHECK bool bridge_line_read(struct bridge_line *l, int fd, bool seqpacket);

/** bridge_line_port() - The port it names; false for any other line */
MUST_CHECK bool bridge_line_port(const struct bridge_line *l, uint32_t *ret_port);

#endif
