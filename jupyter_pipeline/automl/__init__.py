"""Tabular machine learning, from reading to evaluation. Knows neither wire nor projects."""
