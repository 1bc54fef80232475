/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The networks of a description, as a guest's init would set them up: in the words of ip(8)
 *
 * It reads the items by itself, so that a test of what writes them does not believe that.
 */
#ifndef VMRUN_TESTS_SUPPORT_SPEC_IP_H
#define VMRUN_TESTS_SUPPORT_SPEC_IP_H

#include <stddef.h>
#include <stdio.h>

/**
 * spec_ip() - Write a line of `ip -batch` for each item of a network
 *
 * Interfaces are known by name. An item that does not hold together fails the test.
 */
void spec_ip(const unsigned char *spec, size_t len, FILE *to);

#endif
