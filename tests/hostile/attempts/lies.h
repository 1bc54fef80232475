/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a jailed process in enemy hands says
 *
 *   control NAME	to its supervisor, once it serves: what has that name in tests/hostile/control.h
 *   early NAME		the same before it is ready
 *   channel garbage	to the VMM, or to each device, once it serves: bytes that are no message
 *   channel half	the beginning of a message
 *   channel endless	messages that are one by one well formed, for as long as they are taken
 *   log		to its log: lines for as long as they are taken
 *   memory		nothing; maps the guest's RAM until the kernel refuses
 */
#ifndef VMRUN_TESTS_HOSTILE_ATTEMPTS_LIES_H
#define VMRUN_TESTS_HOSTILE_ATTEMPTS_LIES_H

/** lie_early() - Behind the filter, before the process is ready */
void lie_early(const char *told);

/** lie_served() - Before the first event of the loop */
void lie_served(const char *told);

/** lie_mapped() - When @fd, the guest's RAM, has been mapped */
void lie_mapped(const char *told, int fd);

#endif
