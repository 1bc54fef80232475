/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Comparisons of arguments to BPF, which compares 32 bits at a time
 */
#ifndef VMRUN_POLICIES_HALVES_H
#define VMRUN_POLICIES_HALVES_H

#include "policies/bpf.h"
#include "policies/rule.h"

/** halves_put() - Write a comparison that goes to @yes or @no; returns its place */
unsigned int halves_put(struct bpf *b, const struct rule_cmp *c, unsigned int yes, unsigned int no);

#endif
