#include "../grub.h"
