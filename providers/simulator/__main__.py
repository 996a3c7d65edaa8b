from providers.simulator.command_line import main

main()
