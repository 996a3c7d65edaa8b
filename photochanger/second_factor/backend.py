from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class AdministratorBackend(ModelBackend):
    """Django's, but a session's user comes with the second factor: every page asks for both."""

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("second_factor").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
