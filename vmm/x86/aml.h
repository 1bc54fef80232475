/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A small builder of ACPI Machine Language
 *
 * ACPI 6.5 chapter 20 (grammar) and section 6.4 (resource descriptors), as far as our DSDT needs
 * them. Each object that has a length is opened and closed; closing writes the length. If the buffer
 * becomes full, @full is set, so that one check at the end is enough.
 */
#ifndef VMRUN_VMM_X86_AML_H
#define VMRUN_VMM_X86_AML_H

#include "devices/core/base.h"

/** struct aml - The buffer; @full: something did not fit */
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
 * @bytes:	Number of them; unused for AML_IRQ
 *
 * The device itself uses AML_IO and AML_IRQ; it forwards the others to the devices behind it.
 */
struct aml_res {
	enum aml_res_type type;
	uint32_t base;
	uint32_t bytes;
};

/** aml_init() - Start with an empty @buf, which is borrowed */
void aml_init(struct aml *a, uint8_t *buf, size_t room);

/** aml_scope() - Open Scope (@path), four characters per name; returns the mark for aml_close() */
MUST_CHECK size_t aml_scope(struct aml *a, const char *path);

/** aml_device() - Open Device (@name), four characters */
MUST_CHECK size_t aml_device(struct aml *a, const char *name);

/** aml_method() - Open Method (@name, @nr_args, Serialized) */
MUST_CHECK size_t aml_method(struct aml *a, const char *name, uint8_t nr_args);

/** aml_notify() - Notify (@path, @value): tells the driver of a device; a path of two names begins with "\\." */
void aml_notify(struct aml *a, const char *path, uint8_t value);

/** aml_package() - Open Package () of @nr elements */
MUST_CHECK size_t aml_package(struct aml *a, uint8_t nr);

/** aml_close() - Close the object opened last; opening it returned @mark */
void aml_close(struct aml *a, size_t mark);

/** aml_name() - Name (@name, ...); the object written next is its value */
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
