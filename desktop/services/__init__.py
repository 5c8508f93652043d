"""What can be done at a till: each service an action or a question, none of them knows a screen."""
