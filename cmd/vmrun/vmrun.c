/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/vmrun.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/jail/userns.h"
#include "runtime/state/state_dir.h"
#include "runtime/util/oci_log.h"

static enum log_level vmrun_log_level(const struct vmrun *v)
{
	enum log_level level = LOG_LEVEL_ERROR;

	if (v->debug)
		return LOG_LEVEL_DEBUG;
	if (v->log_level && oci_log_level(v->log_level, &level) < 0)
		return LOG_LEVEL_ERROR;
	return level;
}

int vmrun_usage(struct vmrun *v, int rc)
{
	if (rc == -EINVAL)
		v->exit_code = VMRUN_EXIT_USAGE;
	return rc;
}

int vmrun_settle_root(struct vmrun *v, char *buf, size_t size, struct err *err)
{
	char cwd[PATH_MAX];

	if (!v->root) {
		v->root = buf;
		return state_default_root(userns_own_ids(), buf, size, err);
	}
	if (v->root[0] == '/')
		return 0;
	if (!*v->root || !getcwd(cwd, sizeof(cwd)))
		return vmrun_usage(v, err_text(err, EINVAL, "option --root wants a directory"));
	/* The next command may run in another directory. */
	fmt_into(buf, size, "%s/%s", cwd, v->root);
	v->root = buf;
	return 0;
}

int vmrun_flush(struct err *err)
{
	return fflush(stdout) < 0 || ferror(stdout) ? err_set(err, errno, "standard output") : 0;
}

int vmrun_open_log(const struct vmrun *v, struct oci_log *ret, struct err *err)
{
	if (!v->log) {
		*ret = (struct oci_log){.fd = -1, .max = vmrun_log_level(v)};
		return 0;
	}
	return oci_log_open(v->log, v->log_format && strcmp(v->log_format, "json") == 0,
			    vmrun_log_level(v), ret, err);
}

int vmrun_check_log(const struct vmrun *v, struct err *err)
{
	struct oci_log log = {.fd = -1};
	struct stat st;
	int rc;

	/* The reader of a FIFO would take this for the whole of it. */
	if (!v->log || (stat(v->log, &st) == 0 && !S_ISREG(st.st_mode)))
		return 0;
	rc = vmrun_open_log(v, &log, err);
	oci_log_close(&log);
	return rc;
}

static void vmrun_say(const struct vmrun *v, enum log_level level, const char *words)
{
	struct oci_log log = {.fd = -1};
	char text[ERR_MSG_BYTES];
	struct err ignored;

	/* File names may hold newlines and control sequences of terminals. */
	fmt_into(text, sizeof(text), "%s", words);
	(void)fmt_printable(text);

	/* Errors always go to stderr: conmon reports an empty one as an error without words. */
	if (level == LOG_LEVEL_ERROR || !v->log)
		dprintf(STDERR_FILENO, "vmrun: %s%s\n", level == LOG_LEVEL_WARN ? "warning: " : "",
			text);
	if (vmrun_open_log(v, &log, &ignored) == 0)
		oci_log_write(&log, level, "%s", text);
	oci_log_close(&log);
}

void vmrun_error(const struct vmrun *v, const struct err *err)
{
	vmrun_say(v, LOG_LEVEL_ERROR, err->msg);
}

void vmrun_warn(const struct vmrun *v, const char *fmt, ...)
{
	char text[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	fmt_vinto(text, sizeof(text), fmt, ap);
	va_end(ap);
	vmrun_say(v, LOG_LEVEL_WARN, text);
}

void vmrun_warn_text(void *v, const char *text)
{
	vmrun_warn(v, "%s", text);
}
