"""What finding schedulers costs, beside other plugin registries."""
