#!/bin/bash
# Where the VMM may name an architecture: in vmm/x86/ (one day vmm/aarch64/), behind vmm/arch.h. Its other files, and
# cmd/vmrun-vmm.c, have no port, register, interrupt controller or interrupt line of one in their code.
. "$(dirname "$0")/lib.bash"

words=$(paste -sd'|' <<'END'
(x86|X86)\w*|__(x86_64|i386|aarch64|arm)__
\w*(gsi|GSI)\w*
(IO|io|L|l)?(APIC|apic)\w*|PIC_\w+|PIT_\w+|(GIC|gic|ITS|its)(_\w+|v[23]\w*)?
MSR_\w+|kvm_msr\w*|KVM_(GET|SET)_MSRS
\w*(CPUID|cpuid)\w*
(BUS_)?(PIO|pio)|KVM_EXIT_(IO|SYSTEM_EVENT)|KVM_IOEVENTFD_FLAG_PIO
[re](ip|sp|flags|ax|bx|cx|dx|si|di)|cr[0-4]|efer|kvm_s?regs|KVM_(GET|SET)_(S|ONE_)?REGS?
(acpi|ACPI|i8042|I8042|rtc|RTC|pvpanic|PVPANIC|e820|E820|psci|PSCI|fdt|FDT)\w*
0x(60|64|70|71|2f8|3f8|505|60[0-9a-f]|cf[89c])|0xfe[ce][0-9a-f]{5}\w*
END
)
# Words of the kernel's interface that every architecture has
neutral='KVM_SET_GSI_ROUTING|\.gsi'

{ files '*.c' '*.h' | grep -E '^vmm/' | grep -vE '^vmm/(x86|aarch64)/|^vmm/bus\.[ch]$'; echo cmd/vmrun-vmm.c; } >"$work/files"
while read -r f; do
	# without comments, and without what stands in strings
	gcc -fpreprocessed -dD -E -P -w -x c "$f" | sed -E 's/"([^"\\]|\\.)*"/""/g' |
		grep -vE '^#include' | sed -E "s/$neutral//g" | grep -wE "$words" | sed "s|^[ \t]*|$f: |"
done <"$work/files" >"$work/named"
[ "$(wc -l <"$work/files")" -gt 20 ] || echo "hardly any files found" >>"$work/named"
verdict "only an architecture's own folder names its ports, registers and interrupt lines" "$work/named"
