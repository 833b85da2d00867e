"""How people sign in: our side of django-allauth. What its pages look like is the dashboard's matter."""
