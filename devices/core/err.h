/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Errors of the control plane
 *
 * A function that can fail returns 0 or -errno, is MUST_CHECK and takes a struct err last. The
 * struct is the caller's, has a fixed size and needs no heap, so it works after lockdown. It is
 * never NULL: a failure that does not matter goes into one that the caller ignores. Leaf code
 * fills it; only programs and main loops print it. The data path uses enums, not this.
 */
#ifndef VMRUN_DEVICES_CORE_ERR_H
#define VMRUN_DEVICES_CORE_ERR_H

#include "devices/core/base.h"

#define ERR_MSG_BYTES 240

/**
 * struct err - One failure, in words a user can act on
 * @code:	errno value, positive; 0 while nothing failed
 * @msg:	One line without newline, cut to fit, always terminated
 */
struct err {
	int code;
	char msg[ERR_MSG_BYTES];
};

/**
 * err_set() - Record a failure: "<formatted text>: <ENAME description>"
 * @err:	Where to
 * @errnum:	errno value, positive. The system's words for it are appended
 * @fmt:	fmt.h's subset of printf; arguments may point into @err
 *
 * Context: any
 * Syscalls: none
 * Return: -@errnum, so that "return err_set(...)" reads well
 */
int err_set(struct err *err, int errnum, const char *fmt, ...) PRINTF(3, 4);

/**
 * err_text() - Record a failure in the caller's words alone
 * @err:	Where to
 * @errnum:	errno value, positive
 * @fmt:	fmt.h's subset of printf; arguments may point into @err
 *
 * As err_set(), without the system's words.
 * Context: any
 * Syscalls: none
 * Return: -@errnum
 */
int err_text(struct err *err, int errnum, const char *fmt, ...) PRINTF(3, 4);

/**
 * err_wrap() - Put "<formatted text>: " before the recorded message
 * @err:	Holds a failure
 * @fmt:	fmt.h's subset of printf; arguments may point into @err
 *
 * What does not fit is cut at the end.
 * Context: any
 * Syscalls: none
 * Return: -err->code
 */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/**
 * err_describe() - The system's words for an errno value ("No such file or directory")
 * @errnum:	errno value, positive
 *
 * Unlike strerror() it needs neither locale nor heap. Never NULL.
 * Context: any
 * Syscalls: none
 * Return: static text in English, never NULL
 */
const char *err_describe(int errnum);

#endif
