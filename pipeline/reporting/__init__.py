"""What a run found, as text for the terminal, as report.json and as one HTML file."""
