/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What /dev of each container has: vmrun-init makes it, and the host the names of it where a root is read-only
 */
#ifndef VMRUN_DEVICES_CORE_AGENT_DEV_H
#define VMRUN_DEVICES_CORE_AGENT_DEV_H

/** agent_dev_nodes - Character devices that all may read and write */
static const struct {
	const char *name;
	unsigned int major, minor;
} agent_dev_nodes[] = {
	{"null", 1, 3},	  {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

/** agent_dev_links - Symbolic links */
static const struct {
	const char *name, *target;
} agent_dev_links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},	     {"core", "/proc/kcore"},
};

#endif
