id
sudo -l
