/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Files of tests/golden, which say what a table or a text must be
 *
 * `make golden` runs the tests that compare with them, with UPDATE_GOLDEN=1 in the environment.
 */
#ifndef VMRUN_TESTS_SUPPORT_GOLDEN_H
#define VMRUN_TESTS_SUPPORT_GOLDEN_H

/**
 * golden_text() - Read tests/golden/@name, with UPDATE_GOLDEN set after writing @got to it
 * @name:	The file's name
 * @got:	The text that the code under test produced
 *
 * Return: the file's text, which the caller frees; a file that cannot be read fails the test
 */
char *golden_text(const char *name, const char *got);

#endif
