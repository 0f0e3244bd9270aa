SELECT guard_pool('segment');
