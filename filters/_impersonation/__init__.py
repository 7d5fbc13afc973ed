"""What forged mail does, one trick a module: names, domains, links, and what it says."""
