"""Settings that the modules share."""
apb_base = 0x50000000
avg_pool_rounding = block_mode = fifo = fast_fifo = fast_fifo_quad = zero_sram = init_tram = False
write_zero_regs = powerdown = link_layer = overwrite_ok = verbose = False
generate_kat = compact = embedded_code = new_kernel_loader = mexpress = True
pipeline = snoop = data = None
mlator = rtl_preload = rtl_preload_weights = result_output = False
test_dir = prefix = mode = ''
