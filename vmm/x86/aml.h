/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A small builder of ACPI Machine Language
 *
 * ACPI 6.5 chapter 20 (grammar) and section 6.4 (resource descriptors): as much as a DSDT without
 * methods takes. Objects with a length are opened and closed in pairs; closing puts the length in.
 * Running out of room is remembered and asked for once, at the end.
 */
#ifndef VMRUN_VMM_X86_AML_H
#define VMRUN_VMM_X86_AML_H

#include "devices/core/base.h"

/** struct aml - Bytes so far; @full once something did not fit */
struct aml {
	uint8_t *buf;
	size_t room;
	size_t bytes;
	bool full;
};

enum aml_res_type { AML_IO, AML_IRQ, AML_BUS, AML_IO_WINDOW, AML_MEM_WINDOW };

/**
 * struct aml_res - One resource of a _CRS
 * @base:	First port, address or bus; the line of an AML_IRQ
 * @bytes:	How many; unused for AML_IRQ
 *
 * AML_IO and AML_IRQ are consumed by the device, the others passed on to what is behind it.
 */
struct aml_res {
	enum aml_res_type type;
	uint32_t base;
	uint32_t bytes;
};

/** aml_init() - Begin in @buf, which is borrowed */
void aml_init(struct aml *a, uint8_t *buf, size_t room);

/** aml_scope() - Open Scope (@path), four characters a name; returns what aml_close() wants */
MUST_CHECK size_t aml_scope(struct aml *a, const char *path);

/** aml_device() - Open Device (@name), four characters */
MUST_CHECK size_t aml_device(struct aml *a, const char *name);

/** aml_package() - Open Package () of @nr elements */
MUST_CHECK size_t aml_package(struct aml *a, uint8_t nr);

/** aml_close() - Close what was opened last; @mark is what opening it returned */
void aml_close(struct aml *a, size_t mark);

/** aml_name() - Name (@name, ...): the object that is written next */
void aml_name(struct aml *a, const char *name);

/** aml_int() - An integer, in the shortest form */
void aml_int(struct aml *a, uint64_t value);

/** aml_string() - A string */
void aml_string(struct aml *a, const char *text);

/** aml_eisa_id() - An EISA id of three letters and four hex digits ("PNP0A03"), compressed */
void aml_eisa_id(struct aml *a, const char *id);

/** aml_crs() - Name (_CRS, ResourceTemplate () {...}) of @nr resources */
void aml_crs(struct aml *a, const struct aml_res *res, size_t nr);

#endif
