"""What EDMS speak: formats and connectors, behind the ports of `exchange.agent.ports`."""
