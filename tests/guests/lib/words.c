/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/guest.h"

#define START_INFO_CMDLINE 24 /* of hvm_start_info */

const char *guest_cmdline(void)
{
	if (!guest_pvh_info)
		return "";
	return (const char *)*(const uint64_t *)(guest_pvh_info + START_INFO_CMDLINE);
}

bool guest_has_word(const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = guest_cmdline(); *at;) {
		size_t n = 0;

		while (at[n] && at[n] != ' ')
			n++;
		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n;
		while (*at == ' ')
			at++;
	}
	return false;
}
