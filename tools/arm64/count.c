/* A plugin of qemu-user: how many instructions the guest ran, of each kind, between two marks.
 *
 * Rules kept here:
 * - What belongs to which kind is said by the arguments (kind=NAME:MASK:VALUE, hexadecimal): an instruction is of the
 *   first kind for which (word & MASK) == VALUE. tools/arm64/kinds.py has the masks.
 * - A mark is lseek on file descriptor MARK, which no program has open: the guest gets EBADF and goes on. At every mark
 *   one line is written to the file named by out=: the mark's number, then for each thread all instructions and those
 *   of each kind since the last mark.
 * - Each thread counts for itself, so that nothing is lost between threads.
 *
 * The declarations below are those of QEMU's plugin interface, version 1, as Debian 12's QEMU 7.2 has it (its
 * documentation: "TCG Plugins"). A QEMU that no longer takes version 1 says so and stops.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK 1000001
#define LSEEK 62 /* asm-generic/unistd.h, which arm64 uses */
#define KINDS 16
#define THREADS 64

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct info;
typedef void (*translated_cb)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*executed_cb)(unsigned int thread, void *data);
typedef void (*syscall_cb)(uint64_t id, unsigned int thread, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                           uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_cb call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_cb call, int flags, void *data);
void qemu_plugin_register_vcpu_syscall_cb(uint64_t id, syscall_cb call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct kind {
    char name[24];
    uint32_t mask;
    uint32_t value;
};
struct counts {
    uint64_t all;
    uint64_t of[KINDS];
};

static struct kind kinds[KINDS];
static unsigned int known;
static struct counts counted[THREADS];
static FILE *out;

static void executed(unsigned int thread, void *data)
{
    const struct counts *block = data;
    struct counts *mine = &counted[thread % THREADS];
    mine->all += block->all;
    for (unsigned int i = 0; i < known; i++)
        mine->of[i] += block->of[i];
}

/* The counts of a block live as long as the program: QEMU may run it at any time later. */
static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    struct counts *found = calloc(1, sizeof *found);
    if (!found)
        abort();
    found->all = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < found->all; i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
        for (unsigned int k = 0; k < known; k++) {
            if ((word & kinds[k].mask) == kinds[k].value) {
                found->of[k]++;
                break;
            }
        }
    }
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, found);
}

static void called(uint64_t id, unsigned int thread, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                   uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)thread, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != LSEEK || a1 != MARK)
        return;
    fprintf(out, "%llu", (unsigned long long)a2);
    for (unsigned int t = 0; t < THREADS; t++) {
        if (!counted[t].all)
            continue;
        fprintf(out, " %u:%llu", t, (unsigned long long)counted[t].all);
        for (unsigned int k = 0; k < known; k++)
            fprintf(out, ",%llu", (unsigned long long)counted[t].of[k]);
    }
    fputc('\n', out);
    fflush(out);
    memset(counted, 0, sizeof counted);
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const struct info *info, int argc,
                                                                char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        } else if (known < KINDS && sscanf(argv[i], "kind=%23[^:]:%x:%x", kinds[known].name, &kinds[known].mask,
                                           &kinds[known].value) == 3) {
            known++;
        } else {
            fprintf(stderr, "count: the argument %s is not understood\n", argv[i]);
            return 1;
        }
    }
    if (!out) {
        fprintf(stderr, "count: out= must name a file that can be written\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
