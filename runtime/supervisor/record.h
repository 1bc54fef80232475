/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What changes while the VM runs, on file for `state` and delete
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_RECORD_H
#define VMRUN_RUNTIME_SUPERVISOR_RECORD_H

#include "runtime/supervisor/supervisor.h"

/** record_save() - Save the state; if that fails, because the disk is full, again each second. A line says so once */
void record_save(struct supervisor *s);

/** record_late() - s->record_ns has passed: try again */
void record_late(struct supervisor *s);

#endif
