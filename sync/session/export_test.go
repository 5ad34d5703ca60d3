package session

var RingID = ringID
