/* User Mode Linux on processors that have more registers than it knows.
 *
 * It keeps its processes' extended registers (PTRACE_GETREGSET, NT_X86_XSTATE) in a buffer whose
 * size it was compiled with, and sets them from there. Linux insists on being given all of them,
 * and with AMX there are 8 KiB more: User Mode Linux 6.1 and 6.12 stop at their first process.
 * Preloaded, this sets all registers: as they are, but for those that User Mode Linux knows.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long ptrace_function (enum __ptrace_request, pid_t, void *, void *);

long
ptrace (enum __ptrace_request request, ...)
{
  static char registers[1 << 16];
  struct iovec all = { registers, sizeof (registers) };
  ptrace_function *next = (ptrace_function *) dlsym (RTLD_NEXT, "ptrace");
  struct iovec *known;
  __builtin_va_list arguments;
  pid_t pid;
  void *address, *data;

  __builtin_va_start (arguments, request);
  pid = __builtin_va_arg (arguments, pid_t);
  address = __builtin_va_arg (arguments, void *);
  data = __builtin_va_arg (arguments, void *);
  __builtin_va_end (arguments);

  if (request != PTRACE_SETREGSET || (long) address != NT_X86_XSTATE
      || next (PTRACE_GETREGSET, pid, address, &all))
    return next (request, pid, address, data);
  known = data;
  memcpy (registers, known->iov_base, known->iov_len < all.iov_len ? known->iov_len : all.iov_len);
  return next (request, pid, address, &all);
}
