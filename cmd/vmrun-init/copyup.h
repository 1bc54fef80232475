/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: tmpcopyup: a new tmpfs gets a copy of the directory that it covers
 */
#ifndef VMRUN_CMD_VMRUN_INIT_COPYUP_H
#define VMRUN_CMD_VMRUN_INIT_COPYUP_H

#include "devices/core/base.h"

/**
 * copyup() - Copy what is in a directory: files, directories, links, pipes and nodes with owners, modes and times
 * @from:	The directory, O_PATH will do; other mounts below it are not entered
 * @to:		An empty directory, which gets the owner of @from; its mode is the caller's
 *
 * Return: 0 or -errno
 */
MUST_CHECK int copyup(int from, int to);

#endif
