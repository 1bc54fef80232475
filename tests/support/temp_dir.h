/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A directory of its own for a test
 *
 * A suite that has two of these as .init and .fini gives each of its tests a new one.
 */
#ifndef VMRUN_TESTS_SUPPORT_TEMP_DIR_H
#define VMRUN_TESTS_SUPPORT_TEMP_DIR_H

/** temp_dir - Its path, between the calls below */
extern char temp_dir[];

/** temp_dir_make() - Make the directory, empty */
void temp_dir_make(void);

/** temp_dir_make_in_memory() - The same, where fdatasync costs nothing */
void temp_dir_make_in_memory(void);

/** temp_dir_remove() - Remove it with everything in it */
void temp_dir_remove(void);

#endif
